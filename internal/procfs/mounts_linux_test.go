package procfs

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMountTable(t *testing.T) {
	reads := 0
	table := &mountTable{changes: newMountChanges(), read: func(ctx context.Context) ([]string, error) {
		reads++
		return listMounts(ctx)
	}}
	list := func() []string {
		t.Helper()
		points, err := table.list(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return points
	}
	list()
	kept := false
	for range 10 { // somebody else may mount something
		before := reads
		list()
		kept = kept || reads == before
	}
	if !kept {
		t.Error("the list is read each time")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("can not mount:", err)
	}
	mounted := slices.Contains(list(), dir)
	if err := unix.Unmount(dir, 0); err != nil {
		t.Fatal(err)
	}
	if !mounted || slices.Contains(list(), dir) {
		t.Error("the change was not seen")
	}
}

func TestMountTableReadsAgainAfterAnError(t *testing.T) {
	answers := []error{errors.New("no"), nil}
	table := &mountTable{changes: newMountChanges(), read: func(context.Context) ([]string, error) {
		err := answers[0]
		answers = answers[1:]
		if err != nil {
			return nil, err
		}
		return []string{"/"}, nil
	}}
	if _, err := table.list(context.Background()); err == nil {
		t.Error("no error")
	}
	if points, err := table.list(context.Background()); err != nil || len(points) != 1 {
		t.Error(points, err)
	}
}
