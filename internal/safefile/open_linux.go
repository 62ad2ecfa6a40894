package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

const resolve = unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS

// maxLinks is the kernel's own limit for one path.
const maxLinks = 40

// resolver says how paths are resolved.
type resolver struct {
	openat2 func(base *os.File, name string, how *unix.OpenHow) (*os.File, error)
}

func open(root, path string, ownerUID int) (*os.File, error) {
	return resolver{openat2}.open(root, path, ownerUID)
}

func stat(root, path string, ownerUID int) (fs.FileInfo, error) {
	return resolver{openat2}.stat(root, path, ownerUID)
}

func dir(root, path string) (*os.File, error) {
	return resolver{openat2}.dir(root, path)
}

func (r resolver) open(root, path string, ownerUID int) (*os.File, error) {
	h, err := r.handle(root, path, ownerUID)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	info, err := h.Stat()
	if err != nil {
		return nil, err
	}
	// Only now is it known that an open can neither block nor act on a device.
	if err := check(info, ownerUID, 0); err != nil {
		return nil, err
	}
	// Open the very file of the handle. This is the one magic link followed, and
	// it is our own.
	return openFD(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", h.Fd()), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
}

func (r resolver) stat(root, path string, ownerUID int) (fs.FileInfo, error) {
	h, err := r.handle(root, path, ownerUID)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return h.Stat()
}

func (r resolver) dir(root, path string) (*os.File, error) {
	base, err := openRoot(root)
	if err != nil {
		return nil, err
	}
	defer base.Close()
	how := unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_NOFOLLOW | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: resolve,
	}
	f, err := r.openat2(base, path, &how)
	if noOpenat2(err) {
		f, err = walk(base, path, walkOpts{anyLink: true, noFinalLink: true, dir: true})
	}
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		err = fmt.Errorf("%w: %w", ErrNotDir, err)
	}
	return f, err
}

// handle resolves a path to an O_PATH handle.
func (r resolver) handle(root, path string, ownerUID int) (*os.File, error) {
	base, err := openRoot(root)
	if err != nil {
		return nil, err
	}
	defer base.Close()
	// The usual path has no symlink: one call. Else each link is looked at.
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: resolve | unix.RESOLVE_NO_SYMLINKS}
	f, err := r.openat2(base, path, &how)
	if errors.Is(err, unix.ELOOP) || noOpenat2(err) {
		return walk(base, path, walkOpts{owner: ownerUID})
	}
	return f, err
}

type walkOpts struct {
	owner       int  // symlinks have to belong to this uid or to root
	anyLink     bool // … or to anyone
	noFinalLink bool // the last component may not be one
	dir         bool // the last component has to be a folder
}

// walk resolves a path one component at a time below base. It needs no openat2, so
// it also serves older kernels and containers whose seccomp filter refuses that.
func walk(base *os.File, p string, o walkOpts) (*os.File, error) {
	// A stack of handles makes ".." exact and stops it at base.
	var stack []*os.File
	defer func() {
		for _, f := range stack {
			f.Close()
		}
	}()
	todo := split(p)
	for links := 0; len(todo) > 0; {
		name, rest := todo[0], todo[1:]
		if name == ".." {
			if len(stack) > 0 {
				stack[len(stack)-1].Close()
				stack = stack[:len(stack)-1]
			}
			todo = rest
			continue
		}
		at := base
		if len(stack) > 0 {
			at = stack[len(stack)-1]
		}
		f, err := openFD(int(at.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW)
		if err != nil {
			return nil, err
		}
		stack = append(stack, f)
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err != nil {
			return nil, err
		}
		if st.Mode&unix.S_IFMT != unix.S_IFLNK {
			if len(rest) > 0 && st.Mode&unix.S_IFMT != unix.S_IFDIR {
				return nil, unix.ENOTDIR
			}
			todo = rest
			continue
		}
		if links++; links > maxLinks {
			return nil, unix.ELOOP
		}
		if len(rest) == 0 && o.noFinalLink && !strings.HasSuffix(p, "/.") {
			return nil, unix.ELOOP
		}
		if !o.anyLink && int(st.Uid) != o.owner && st.Uid != 0 {
			return nil, fmt.Errorf("%w: %s belongs to uid %d", ErrLink, name, st.Uid)
		}
		target, err := readlink(f)
		if err != nil {
			return nil, err
		}
		f.Close()
		stack = stack[:len(stack)-1]
		if strings.HasPrefix(target, "/") {
			for _, f := range stack {
				f.Close()
			}
			stack = nil
		}
		todo = append(split(target), rest...)
	}
	if len(stack) == 0 {
		return openFD(int(base.Fd()), ".", unix.O_PATH|unix.O_DIRECTORY)
	}
	f := stack[len(stack)-1]
	stack = stack[:len(stack)-1]
	if o.dir {
		if info, err := f.Stat(); err != nil || !info.IsDir() {
			f.Close()
			return nil, errors.Join(unix.ENOTDIR, err)
		}
	}
	return f, nil
}

// readlink reads the target of the symlink behind an O_PATH handle.
func readlink(f *os.File) (string, error) {
	var sfs unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &sfs); err != nil {
		return "", err
	}
	if sfs.Type == unix.PROC_SUPER_MAGIC {
		return "", fmt.Errorf("%w: a link of /proc", ErrLink)
	}
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(f.Fd()), "", buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

func openRoot(root string) (*os.File, error) {
	if root == "" {
		root = "/"
	}
	return openFD(unix.AT_FDCWD, root, unix.O_PATH|unix.O_DIRECTORY)
}

func openFD(at int, name string, flags int) (*os.File, error) {
	for {
		fd, err := unix.Openat(at, name, flags|unix.O_CLOEXEC, 0)
		if err == nil {
			return os.NewFile(uintptr(fd), name), nil
		}
		if err != unix.EINTR {
			return nil, err
		}
	}
}

func openat2(base *os.File, name string, how *unix.OpenHow) (*os.File, error) {
	for range 8 {
		fd, err := unix.Openat2(int(base.Fd()), name, how)
		if err == nil {
			return os.NewFile(uintptr(fd), name), nil
		}
		// EAGAIN: something was renamed while ".." was resolved.
		if err != unix.EINTR && err != unix.EAGAIN {
			return nil, err
		}
	}
	return nil, unix.EAGAIN
}

// noOpenat2 also takes EPERM: seccomp filters that do not know the call answer so.
// walk then gives the true error.
func noOpenat2(err error) bool {
	return errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM)
}

// split keeps "..": after a symlink it is not the same as cutting the text.
func split(p string) []string {
	var out []string
	for _, c := range strings.Split(p, "/") {
		if c != "" && c != "." {
			out = append(out, c)
		}
	}
	return out
}
