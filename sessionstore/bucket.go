package sessionstore

import "regexp"

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// BucketRule says what names buckets may have: those that mean themselves in
// URLs, labels and files.
const BucketRule = "up to 63 of a-z, 0-9 and dash, with a letter or digit first"

// ValidBucket tells whether a bucket may have that name.
func ValidBucket(name string) bool { return bucketName.MatchString(name) }
