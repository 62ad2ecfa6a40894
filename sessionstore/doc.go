// Package sessionstore says what PM25 keeps of what apps and processes did:
// records, exception groups, runs, hosts and buckets. It holds the values and
// the rules that need no database; sqlite, below it, keeps them in a file, and
// sessionstoretest is what every such package has to pass.
package sessionstore
