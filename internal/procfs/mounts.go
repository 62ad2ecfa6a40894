package procfs

import (
	"context"
	"fmt"

	"github.com/shirou/gopsutil/v3/disk"
)

// listMounts returns all mountpoints. On a host with containers it is a long
// list.
func listMounts(ctx context.Context) ([]string, error) {
	all, err := disk.PartitionsWithContext(ctx, true)
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	points := make([]string, len(all))
	for i, p := range all {
		points[i] = p.Mountpoint
	}
	return points, nil
}

// mountTable lists the mountpoints anew only when the kernel says that
// something was mounted or unmounted. Calls must not overlap.
type mountTable struct {
	read    func(context.Context) ([]string, error)
	changes mountChanges
	points  []string
}

func (t *mountTable) list(ctx context.Context) ([]string, error) {
	// Asked before reading: what changes meanwhile shows at the next call.
	if !t.changes.any() && t.points != nil {
		return t.points, nil
	}
	points, err := t.read(ctx)
	t.points = points // nil after an error: read again
	return points, err
}
