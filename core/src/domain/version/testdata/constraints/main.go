// Writes constraints.json: what Masterminds/semver, at the version in go.mod, which is the one of helm 4.3.1, says of
// each constraint and version.
//
//	go run . > ../constraints.json
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/Masterminds/semver/v3"
)

var versions = strings.Fields(`
	0.0.0-0 0.0.0-alpha 0.0.0 0.0.0+b 0.0.1 0.0.3-rc.1 0.0.3 0.0.4 0.1.0 0.1.2 0.2.0 0.2.3-rc.1 0.2.3 0.2.9 0.3.0 0.9.9
	1.0.0-alpha 1.0.0-rc.1 1.0.0 1.0.1 1.1.9 1.2.0-alpha 1.2.0 1.2.2 1.2.3-alpha 1.2.3-beta.2 1.2.3-beta.10 1.2.3-beta
	1.2.3-18446744073709551616 1.2.3-99999999999999999999 1.2.3 1.2.3+b 1.2.4-alpha 1.2.4 1.2.9 1.3.0-alpha 1.3.0 1.4.5
	1.4.6 1.9.9 2.0.0-alpha 2.0.0 2.5.1 3.0.0 3.1.0 4.0.0 11.0.0 11.1.0 12.0.0 18446744073709551615.0.0`)

var operators = []string{"", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^"}

// Each is tried behind each operator.
var numbers = strings.Fields(`
	* x X *.1.2 x.x.x *-alpha 0 0.x 0.0 0.0.x 0.0.0 0.0.0-0 0.0.0-alpha 0.0.3 0.0.3-rc.1 0.2 0.2.3 0.2.3-rc.1
	1 1.x 1.*.3 1.x-alpha 1.2 1.2.x 1.2-alpha 1.2.X-alpha 1.2.3 v1.2.3 01.02.03 1.2.3+b 1.2.3-beta.2 1.2.3-beta
	1.2.3-18446744073709551616 1.2.3-beta+b 2.0.0-alpha 11 11.1 18446744073709551615 18446744073709551616`)

var more = []string{
	// Nothing, and nothing between.
	"", " ", "||", " || ", "^1 ||", "|| ^1", "^1 || || ^2", "^1 |||| ^2", ",", "^1,", ",^1", "^1,,<2", "^1, ,<2",
	// Together.
	"^1 || ^3", "^1||^3", "^1 || >=3.1, <4", ">= 1.2.3, < 2", ">=1.2.3 <2", ">=1.2.3,<2", ">=1.2.3 ,<2", ">=1.2.3 , <2",
	">=1.0 <1.4.0 || 2.x", ">1 <1.3.0", "!=1.2.3 !=1.2.4", "!=1.2.3, ^1", "1.2.3 1.2.3", "1.2.3 1.2.4", "1 2", ">=1.2.3<2",
	"\t>=1.2.3\n<2\r\n", "\f^1", "\v^1", "\u00a0^1", "^1\u00a0<2", "  ^1  ", "^ 1", ">  = 1", ">= 1", "~ > 1", "v 1", "= v1.2.3",
	// Ranges.
	"1.2 - 1.4.5", "1.2.3 - 2", "1.2-3", "1.2 -3", "1.2- 3", "1.2.3-alpha - 2.0.0", "1 - 2.x", "* - 1.2", "1.2 - *", "v1 - v2",
	"1 - 2 || 3 - 4", "1 - 2||3 - 4", "0||1 - 2", "^1 ||2 - 3", "1 - 2 || 1 - 2", "1 - 2 - 3", "1 - 2, !=1.2.3", "1 - 2 !=1.2.3",
	"!=1.2.3, 1 - 2", "!=1.2.3 1 - 2", "1 - 2>1.4", "1 - 2v2", "1 - 2,2", "1 - 2.3.4.5", "1.2.3.4 - 5", ">1 - 2", "=1 - 2",
	"~1 - 2", "1 - >2", "1 - 2 1.2 - 1.3", " 1  -  2 ", "1\t-\t2", "1 - 2 - 3, 2 - 3", "1 - x", "1 -  - 2",
	// Pre-releases.
	">=1.0.0-0", ">=1.0.0-0 <2.0.0-0", ">=1.0.0-0, <2", ">=1 || >=1.0.0-0", "^1.2.3-beta.2 || ^3", "~1.2.3-beta.2", "~1.2-0", "~1-0",
	"^1-0", "^0.2-0", "^0.0-0", "^0-0", "*-0", ">*-0", "<*-0", "!=*-0", "!=1-0", "!=1.2-0", "!=1.2-alpha", "!=1.2.3-alpha", "=1.2-0",
	">0.0.0-0", "1.2.3-01", "1.2.3-a.01", "1.2.3-a..b", "1.2.3-", "1.2.3-a_b", "1.2.3-.a", "1.2.3--", "1.2.3-a.", "1.2.3-a-b.c",
	"<1.2.3-99999999999999999999", ">1.2.3-18446744073709551616", "1.2.3-0x1",
	// Build metadata.
	"1.2.3+", "1.2.3+a.b", "1.2.3+a..b", "1.2.3+01", "1.2+b", "1+b", "*+b", "^1.2+b", ">=1.2.3+a+b",
	// What is none.
	"one", "latest", "x.1", "1.2.3.4", ">>1", ">", "^", "^^1", "===1", "==1", "<>1", "=!1", "1.-", "1..2", "1.2.", ".1", "1.2.y",
	"1.2.3a", "va", "vv1", "V1.2.3", "1|2", "|", "1 | 2", "xx", "1.xx", "1.2.xx", "1.2.3x", "x1", "*.xx", "1.*.xx", "**", "-1", "1,2", "1;2",
	"1 and 2", "(1)", "\"1\"", "1 \u2013 2", "１", "1.2.3 # comment", "{{ .Version }}", "1e3", "0x1", "+1", "1.99999999999999999999.0",
	// As long as can be, and longer.
	strings.Repeat("1 ", 256), strings.Repeat("1 ", 256) + "1", strings.Repeat("1||", 31) + "1", strings.Repeat("1||", 32) + "1",
	"1.2.3-" + strings.Repeat("a", 250), "1.2.3-" + strings.Repeat("a", 251), "1.2.3+" + strings.Repeat("a", 250), "1.2.3+" + strings.Repeat("a", 251),
	"1.2+" + strings.Repeat("a", 300), "1.2-" + strings.Repeat("a", 250), "1.2-" + strings.Repeat("a", 251), "v1.2.3-" + strings.Repeat("a", 250),
}

// What is allowed, in the order of the versions; nil for a constraint that is none.
func allowed(text string) any {
	constraint, err := semver.NewConstraint(text)
	if err != nil {
		return nil
	}
	var yes []string
	for _, version := range versions {
		if constraint.Check(semver.MustParse(version)) {
			yes = append(yes, version)
		}
	}
	return strings.Join(yes, " ")
}

func line(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	fmt.Fprintf(out, "{\"versions\": %s,\n\"rows\": [\n", line(strings.Join(versions, " ")))
	texts := []string{}
	for _, number := range numbers {
		for _, operator := range operators {
			texts = append(texts, operator+number)
		}
	}
	for index, text := range append(texts, more...) {
		if index > 0 {
			fmt.Fprintln(out, ",")
		}
		fmt.Fprint(out, line([]any{text, allowed(text)}))
	}
	fmt.Fprintln(out, "\n]}")
}
