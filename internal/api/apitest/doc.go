// Package apitest holds a running server against its own description: it reads /v1/openapi.json, has an independent library
// judge the document, makes up requests from it, good and hostile, and holds every answer against it. Only tests import it.
package apitest
