package sourcemap

import "container/list"

// cacheKey is one content of a file.
type cacheKey struct {
	kind, path  string
	mtime, size int64
}

// cache keeps what was used last, within a number of bytes.
type cache struct {
	limit, used int64
	order       *list.List // of *entry, the last used first
	byPath      map[[2]string]*list.Element
}

type entry struct {
	key  cacheKey
	kept any
	size int64
}

// overhead is what an entry takes beside its content.
const overhead = 256

func newCache(limit int64) *cache {
	return &cache{limit: limit, order: list.New(), byPath: map[[2]string]*list.Element{}}
}

func (c *cache) get(k cacheKey) (any, bool) {
	e, ok := c.byPath[[2]string{k.kind, k.path}]
	if !ok {
		return nil, false
	}
	if e.Value.(*entry).key != k { // the file has changed
		c.remove(e)
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*entry).kept, true
}

// put keeps what is not larger than all that may be kept.
func (c *cache) put(k cacheKey, kept any, size int64) {
	size += int64(len(k.path)) + overhead
	if size > c.limit {
		return
	}
	if old, ok := c.byPath[[2]string{k.kind, k.path}]; ok {
		c.remove(old)
	}
	for c.used+size > c.limit {
		c.remove(c.order.Back())
	}
	c.byPath[[2]string{k.kind, k.path}] = c.order.PushFront(&entry{k, kept, size})
	c.used += size
}

func (c *cache) remove(e *list.Element) {
	old := c.order.Remove(e).(*entry)
	delete(c.byPath, [2]string{old.key.kind, old.key.path})
	c.used -= old.size
}
