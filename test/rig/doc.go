// Package rig holds what the programs that torment the product share: serve and the workflow engine as processes of their
// own, which can be killed and started again in the same folder. It imports internal/engine and the key ring for the engine
// process, and nothing of the product besides; what serve does is seen from the outside.
package rig
