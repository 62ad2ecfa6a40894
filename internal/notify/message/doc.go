// Package message makes of Alertmanager's notifications what a chat robot says:
// one alert or a few with all that helps, or a digest of many, in English or
// Chinese.
//
// All is pure. It guarantees that the most urgent comes first, that each alert
// is told or counted, and that a command which is shown means the app even where
// its name means something to a shell or to PM2, or is left out.
package message
