package logql

import "reflect"

var errorType = reflect.TypeFor[error]()

// guard bounds what a call of f, and all calls for one line, may take and make: a
// chain of functions of which each makes a little more of its text would make
// more than memory holds. f returns a value, or a value and an error.
func (t *template) guard(f any) any {
	fn := reflect.ValueOf(f)
	in := make([]reflect.Type, fn.Type().NumIn())
	for i := range in {
		in[i] = fn.Type().In(i)
	}
	call := fn.Call
	if fn.Type().IsVariadic() {
		call = fn.CallSlice
	}
	guarded := reflect.FuncOf(in, []reflect.Type{fn.Type().Out(0), errorType}, fn.Type().IsVariadic())
	return reflect.MakeFunc(guarded, func(args []reflect.Value) []reflect.Value {
		if err := t.spend(textSize(args...)); err != nil {
			return []reflect.Value{reflect.Zero(guarded.Out(0)), reflect.ValueOf(&err).Elem()}
		}
		out := call(args)
		if len(out) == 1 || out[1].IsNil() {
			err := t.spend(textSize(out[0]))
			return []reflect.Value{out[0], reflect.ValueOf(&err).Elem()}
		}
		return out
	}).Interface()
}

// spend counts bytes that go into a function or come out of it.
func (t *template) spend(bytes int) error {
	if bytes > maxTemplateText {
		return errTemplateText
	}
	if t.work += bytes; t.work > maxTemplateWork {
		return errTemplateWork
	}
	return nil
}

// textSize is how many bytes of text values hold; what is no text counts little.
func textSize(values ...reflect.Value) int {
	size := 0
	for _, v := range values {
		switch v.Kind() {
		case reflect.String:
			size += v.Len()
		case reflect.Interface:
			size += textSize(v.Elem())
		case reflect.Slice:
			for i := range v.Len() {
				size += textSize(v.Index(i))
			}
		case reflect.Map:
			for entries := v.MapRange(); entries.Next(); {
				size += textSize(entries.Key(), entries.Value())
			}
		}
		size += 8
	}
	return size
}
