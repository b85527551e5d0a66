package report

// Told derives what is said from facts that no database holds.
func Told(f *Facts) *Facts {
	f.tell()
	return f
}
