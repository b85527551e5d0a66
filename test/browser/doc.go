// Package browser does in a headless Chromium what people do in the console: a responder signs in and decides, a reviewer reads a
// run on Monday. axe-core, pinned by the lock file here and installed by test/setup.sh, judges every page in light, dark and
// phone width. With -pictures FOLDER the pages are written as PNG, too.
package browser
