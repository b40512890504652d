// SPDX-License-Identifier: Apache-2.0

package route

import (
	"bytes"
	"maps"
	"slices"
)

// Names is what customers may ask for.
type Names struct {
	byName map[string]Asset
	sorted []string
}

// NamesOf collects the names that hosts serve assets under. Who registers a host chooses its names, so two assets can claim one name:
// the one that more operators offer has it, among equals the one with the lower id. aliases, where there are any, replace all of this.
func NamesOf(hosts []Host, aliases map[string]Asset) *Names {
	if len(aliases) > 0 {
		return newNames(maps.Clone(aliases))
	}
	type claim struct {
		name  string
		asset Asset
	}
	claims := make(map[claim]map[string]bool) // to the operators that make it
	for i := range hosts {
		for _, o := range hosts[i].Offers {
			c := claim{o.Name, o.Asset}
			if claims[c] == nil {
				claims[c] = make(map[string]bool)
			}
			claims[c][hosts[i].Operator] = true
		}
	}
	best := make(map[string]Asset)
	for c, operators := range claims {
		if has, ok := best[c.name]; ok {
			rivals := len(claims[claim{c.name, has}])
			if rivals > len(operators) || rivals == len(operators) && compare(has, c.asset) < 0 {
				continue
			}
		}
		best[c.name] = c.asset
	}
	return newNames(best)
}

func newNames(byName map[string]Asset) *Names {
	delete(byName, "")
	return &Names{byName: byName, sorted: slices.Sorted(maps.Keys(byName))}
}

func compare(a, b Asset) int {
	if c := bytes.Compare(a.ModelID[:], b.ModelID[:]); c != 0 {
		return c
	}
	return bytes.Compare(a.AdapterID[:], b.AdapterID[:])
}

// Find returns the asset of a name.
func (n *Names) Find(name string) (Asset, bool) {
	a, ok := n.byName[name]
	return a, ok
}

// Sorted lists the names.
func (n *Names) Sorted() []string { return n.sorted }
