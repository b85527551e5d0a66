// Package packaging checks the files with which Tourniquet is shipped, as far as that can be done without a container engine:
// docker-compose.yml by the library that Compose itself reads it with, the Dockerfiles against the Makefile, the systemd units, the
// release configuration, and that two builds of one commit are the same bytes. Of the product it imports the configuration.
package packaging
