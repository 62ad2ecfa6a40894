package discovery

// identity is a socket file, by whatever path it was reached.
type identity struct {
	dev, ino uint64
	uid      int // owner of the folder; -1 when it could not be seen
}
