// Package robot speaks to the group robots of DingTalk, Feishu (Lark) and WeCom:
// it writes a Document in the markup of each, within its limit of bytes, signs
// it, and reads from the answer whether the robot took it.
//
// All is pure: nothing is sent, no file is read. It guarantees that no text of a
// Document becomes markup, a link or a mention, that nothing is cut inside of a
// character or a link, and that no error holds the robot's URL or secret. It
// does not count messages: Limit says what a robot takes.
package robot
