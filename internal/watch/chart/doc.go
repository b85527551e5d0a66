// Package chart draws what a key cost beside what is usual for it, as SVG for pages and as PNG for chat. It imports gonum's
// plotter and nothing of ours.
package chart
