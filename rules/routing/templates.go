package routing

// Templates x
func Templates(language string) map[string]string { return nil }
