package safefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tree is a root with the world around it: what is inside may have been made by an
// app that wants to lead us out.
func tree(t *testing.T) (root string) {
	t.Helper()
	base := t.TempDir()
	root = filepath.Join(base, "root")
	ok(t, os.MkdirAll(filepath.Join(root, "logs"), 0o755))
	ok(t, os.WriteFile(filepath.Join(base, "secret"), []byte("secret"), 0o600))
	ok(t, os.WriteFile(filepath.Join(root, "logs/a.log"), []byte("inside"), 0o600))
	for name, target := range map[string]string{
		"logs/link":     "a.log",
		"logs/abs":      "/logs/a.log",
		"logs/up":       "../logs/../../../logs/a.log",
		"logs/escape":   "../../secret",
		"logs/abs-out":  filepath.Join(base, "secret"),
		"logs/loop":     "loop",
		"logs/dangling": "nothing",
		"dirlink":       "logs",
	} {
		ok(t, os.Symlink(target, filepath.Join(root, name)))
	}
	return root
}

// each runs a test with openat2, and with the walk that stands in for it where the
// kernel or a seccomp filter does not have it.
func each(t *testing.T, do func(t *testing.T, r resolver)) {
	t.Helper()
	t.Run("openat2", func(t *testing.T) { do(t, resolver{openat2}) })
	for _, errno := range []error{unix.ENOSYS, unix.EPERM} {
		t.Run("walk for "+errno.Error(), func(t *testing.T) {
			do(t, resolver{func(*os.File, string, *unix.OpenHow) (*os.File, error) { return nil, errno }})
		})
	}
}

func TestInsideRoot(t *testing.T) {
	me := os.Getuid()
	each(t, func(t *testing.T, r resolver) {
		root := tree(t)
		for _, p := range []string{"/logs/a.log", "logs/a.log", "//logs/./a.log", "/logs/link", "/logs/abs", "/logs/up", "/dirlink/a.log", "/logs/../../../logs/a.log"} {
			f, err := r.open(root, p, me)
			if err != nil {
				t.Errorf("%s: %v", p, err)
				continue
			}
			data, err := io.ReadAll(f)
			f.Close()
			if string(data) != "inside" || err != nil {
				t.Errorf("%s: %q, %v", p, data, err)
			}
			if info, err := r.stat(root, p, me); err != nil || info.Size() != 6 {
				t.Errorf("stat %s: %v", p, err)
			}
		}
		for p, want := range map[string]error{
			"/logs/escape":   unix.ENOENT, // ".." ends at the root
			"/logs/abs-out":  unix.ENOENT,
			"/logs/loop":     unix.ELOOP,
			"/logs/dangling": unix.ENOENT,
			"/logs/none":     unix.ENOENT,
			"/logs/a.log/x":  unix.ENOTDIR,
			"/logs":          ErrNotRegular,
			"/":              ErrNotRegular,
		} {
			if _, err := r.open(root, p, me); !errors.Is(err, want) {
				t.Errorf("%s: error %v, want %v", p, err, want)
			}
		}
	})
}

func TestMagicLinks(t *testing.T) {
	secret, err := os.CreateTemp(t.TempDir(), "")
	ok(t, err)
	defer secret.Close()
	fd := "/proc/self/fd/" + itoa(secret.Fd())
	link := filepath.Join(t.TempDir(), "link")
	ok(t, os.Symlink(fd, link))
	each(t, func(t *testing.T, r resolver) {
		for _, p := range []string{fd, link, "/proc/self/root" + secret.Name(), "/proc/thread-self/cwd/safefile.go"} {
			f, err := r.open("", p, os.Getuid())
			if !errors.Is(err, unix.ELOOP) && !errors.Is(err, ErrLink) {
				t.Errorf("%s: %v", p, err)
			}
			if f != nil {
				f.Close()
			}
		}
	})
	// The root itself may be one: that is how another mount namespace is reached.
	f, _, err := Open("/proc/self/root", secret.Name(), os.Getuid(), 0)
	ok(t, err)
	f.Close()
}

func TestNotRegular(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	ok(t, unix.Mkfifo(fifo, 0o600))
	sock := filepath.Join(dir, "sock")
	s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	ok(t, err)
	defer unix.Close(s)
	ok(t, unix.Bind(s, &unix.SockaddrUnix{Name: sock}))
	each(t, func(t *testing.T, r resolver) {
		for p, uid := range map[string]int{fifo: os.Getuid(), sock: os.Getuid(), dir: os.Getuid(), "/dev/null": 0, "/dev/tty": 0} {
			done := make(chan error, 1)
			go func() {
				_, err := r.open("", p, uid)
				done <- err
			}()
			select {
			case err := <-done:
				if !errors.Is(err, ErrNotRegular) {
					t.Errorf("%s: %v", p, err)
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("%s: the open hangs", p)
			}
			if _, err := Stat("", p, uid); !errors.Is(err, ErrNotRegular) {
				t.Errorf("stat %s: %v", p, err)
			}
		}
	})
}

func TestOwnerAndSize(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	ok(t, os.WriteFile(name, make([]byte, 100), 0o600))
	me := os.Getuid()
	for _, tc := range []struct {
		uid  int
		max  int64
		want error
	}{
		{me, 0, nil}, {me, 100, nil}, {me, 99, ErrTooLarge}, {me + 1, 0, ErrOwner},
	} {
		f, info, err := Open("", name, tc.uid, tc.max)
		if !errors.Is(err, tc.want) {
			t.Errorf("uid %d, at most %d: %v, want %v", tc.uid, tc.max, err, tc.want)
		}
		if (f == nil) != (err != nil) || (info == nil) != (err != nil) {
			t.Errorf("file %v and info %v with error %v", f, info, err)
		}
		if f != nil {
			f.Close()
		}
	}
	if _, err := Stat("", name, me+1); !errors.Is(err, ErrOwner) {
		t.Errorf("stat: %v", err)
	}
	if _, _, err := Open("", "", me, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("empty name: %v", err)
	}
}

// Another user's symlink may not choose which of the owner's files we read.
func TestSymlinkOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to give files away")
	}
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, "shadow"), []byte("x"), 0o600))
	link := filepath.Join(dir, "app.log")
	ok(t, os.Symlink("shadow", link))
	each(t, func(t *testing.T, r resolver) {
		ok(t, os.Lchown(link, 0, 0))
		f, err := r.open("", link, 0)
		ok(t, err)
		f.Close()
		ok(t, os.Lchown(link, 54321, 54321))
		if _, err := r.open("", link, 0); !errors.Is(err, ErrLink) {
			t.Errorf("error %v", err)
		}
		// Nor is its target the other user's to name.
		if _, err := r.open("", link, 54321); !errors.Is(err, ErrOwner) {
			t.Errorf("error %v", err)
		}
	})
}

func TestDir(t *testing.T) {
	each(t, func(t *testing.T, r resolver) {
		root := tree(t)
		ok(t, os.Symlink("..", filepath.Join(root, "logs/parent")))
		for _, p := range []string{"/logs", "/logs/", "/logs/parent/logs", "/", "/dirlink/."} {
			d, err := r.dir(root, p)
			if err != nil {
				t.Errorf("%s: %v", p, err)
				continue
			}
			if info, err := d.Stat(); err != nil || !info.IsDir() {
				t.Errorf("%s: %v", p, err)
			}
			d.Close()
		}
		for p, want := range map[string]error{
			"/dirlink": ErrNotDir, "/logs/a.log": ErrNotDir, "/logs/a.log/x": ErrNotDir, "/none": fs.ErrNotExist,
		} {
			if _, err := r.dir(root, p); !errors.Is(err, want) {
				t.Errorf("%s: error %v, want %v", p, err, want)
			}
		}
	})
}

// A name that is swapped all the time is one of its files or an error, never a way out.
func TestSwapped(t *testing.T) {
	each(t, func(t *testing.T, r resolver) {
		root := tree(t)
		stop := make(chan struct{})
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			a, b := filepath.Join(root, "x"), filepath.Join(root, "logs")
			os.Symlink("../..", a)
			for {
				select {
				case <-stop:
					return
				default:
					unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
				}
			}
		}()
		for range 2000 {
			f, err := r.open(root, "/logs/../secret", os.Getuid())
			if err == nil {
				t.Errorf("opened %s", f.Name())
				f.Close()
				break
			}
		}
		close(stop)
		<-stopped
	})
}

func TestNoDescriptorIsLeft(t *testing.T) {
	root := tree(t)
	count := func() int {
		l, err := os.ReadDir("/proc/self/fd")
		ok(t, err)
		return len(l)
	}
	each(t, func(t *testing.T, r resolver) {
		before := count()
		for _, p := range []string{"/logs/a.log", "/logs/link", "/logs/loop", "/logs/none", "/logs"} {
			if f, err := r.open(root, p, os.Getuid()); err == nil {
				f.Close()
			}
			if d, err := r.dir(root, p); err == nil {
				d.Close()
			}
		}
		if after := count(); after > before {
			t.Errorf("%d descriptors, then %d", before, after)
		}
	})
}

func itoa(fd uintptr) string {
	s := ""
	for ; fd > 0; fd /= 10 {
		s = string(rune('0'+fd%10)) + s
	}
	return s
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
