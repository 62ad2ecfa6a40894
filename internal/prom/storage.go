package prom

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/compression"
)

const (
	minBlock    = 2 * time.Hour
	maxBlock    = 31 * 24 * time.Hour
	blockShare  = 10 // a block spans at most this part of the retention
	remoteFlush = 10 * time.Second
)

func (s *Server) openStorage(conf *config.Config) (err error) {
	if err := os.MkdirAll(s.opts.Dir, 0o700); err != nil {
		return fmt.Errorf("folder of the time series: %w", err)
	}
	settings := tsdbOptions(conf)
	settings.FeatureRegistry = s.can
	s.dbStats = tsdb.NewDBStats()
	if s.db, err = tsdb.Open(s.opts.Dir, s.component("tsdb"), s.opts.Registry, settings, s.dbStats); err != nil {
		return fmt.Errorf("opening the time series in %s: %w", s.opts.Dir, err)
	}
	s.readers = newGate()
	s.guard = newGuard(s.opts, s.db)
	s.remote = remote.NewStorage(s.component("remote"), s.opts.Registry, s.oldest, s.opts.Dir, remoteFlush, s, false)
	s.storage = storage.NewFanout(s.opts.Logger, s.db, s.remote)
	s.db.SetWriteNotified(s.remote)
	return nil
}

func tsdbOptions(conf *config.Config) *tsdb.Options {
	settings := conf.StorageConfig.TSDBConfig
	kept := time.Duration(settings.Retention.Time)
	o := tsdb.DefaultOptions()
	o.RetentionDuration = kept.Milliseconds()
	o.MaxBytes = int64(settings.Retention.Size)
	o.MaxPercentage = settings.Retention.Percentage
	o.MinBlockDuration = minBlock.Milliseconds()
	o.MaxBlockDuration = longestBlock(kept).Milliseconds()
	o.OutOfOrderTimeWindow = settings.OutOfOrderTimeWindow
	o.StaleSeriesCompactionThreshold = settings.StaleSeriesCompactionThreshold
	if settings.ChunkEncoding.Floats == config.FloatChunkEncodingXOR2 {
		o.FloatChunkEncoding = chunkenc.EncXOR2
	}
	o.WALCompression = compression.Snappy
	o.HeadChunksWriteQueueSize = 0
	o.EnableExemplarStorage = true
	o.MaxExemplars = conf.StorageConfig.ExemplarsConfig.MaxExemplars
	o.EnableSTAsZeroSample = true
	return o
}

// longestBlock bounds blocks so that what is past its time can go soon.
func longestBlock(kept time.Duration) time.Duration {
	if kept == 0 {
		return maxBlock
	}
	return max(minBlock, min(maxBlock, kept/blockShare))
}

// oldest is the time, in milliseconds, from which on remote storage need not be
// asked. The margin is the server's.
func (s *Server) oldest() (int64, error) {
	since := s.opts.Now().UnixMilli()
	if blocks := s.db.Blocks(); len(blocks) > 0 {
		since = blocks[0].Meta().MinTime
	}
	return since + 2*minBlock.Milliseconds(), nil
}

// Get returns the scrape manager to remote storage, which asks for metadata.
func (s *Server) Get() (*scrape.Manager, error) {
	if s.scrape == nil {
		return nil, errors.New("the scrape manager is not ready")
	}
	return s.scrape, nil
}
