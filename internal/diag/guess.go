package diag

import "sort"

// longest is the longest word worth a guess: the distance costs its square.
const longest = 64

// Guess is the known word that was probably meant, or "".
func Guess(word string, known []string) string {
	if len(word) == 0 || len(word) > longest {
		return ""
	}
	sorted := append([]string(nil), known...)
	sort.Strings(sorted)
	best, far := "", max(2, len(word)/3)+1
	for _, k := range sorted {
		if len(k) > longest {
			continue
		}
		if d := distance(word, k); d < far {
			best, far = k, d
		}
	}
	return best
}

// distance is Levenshtein's, over bytes: ids and keys are ASCII.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
