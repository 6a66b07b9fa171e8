# Draws lines "series x y" as an SVG with two logarithmic axes. Blanks in a series' name are underscores.
# Variables: title, xname, yname.
function log10(v) { return log(v) / log(10) }
function px(x) { return left + (log10(x) - x0) / (x1 - x0) * width }
function py(y) { return top + height - (log10(y) - y0) / (y1 - y0) * height }
function floored(v,   i) { i = int(v); return i > v ? i - 1 : i }
function ceiled(v) { return -floored(-v) }
function short(v) { return v >= 1e6 ? v / 1e6 " M" : v >= 1e3 ? v / 1e3 " k" : v "" }
function text(x, y, anchor, class, words) {
  printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">%s</text>\n", x, y, anchor, class, words
}
NF == 3 {
  if (!($1 in last)) { order[++count] = $1 }
  n[$1]++; xs[$1, n[$1]] = $2; ys[$1, n[$1]] = $3; last[$1] = $3; end[$1] = $2
  lx = log10($2); ly = log10($3)
  if (!any++) { x0 = x1 = lx; y0 = y1 = ly }
  if (lx < x0) x0 = lx; if (lx > x1) x1 = lx
  if (ly < y0) y0 = ly; if (ly > y1) y1 = ly
}
END {
  left = 70; top = 50; width = 480; height = 290
  y0 = floored(y0); y1 = ceiled(y1); if (y1 == y0) y1++
  if (x1 == x0) x1++
  print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 700 400\" role=\"img\">"
  print "<title>" title "</title>"
  print "<style>text{font:13px system-ui,sans-serif;fill:#333}.t{font-size:16px;font-weight:600}.s{fill:#666}.n{font-weight:600}</style>"
  print "<rect width=\"700\" height=\"400\" fill=\"#fff\"/>"
  text(left, 26, "start", "t", title)
  for (d = y0; d <= y1; d++) {
    y = py(10 ^ d)
    printf "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#e3e3e3\"/>\n", left, left + width, y, y
    text(left - 8, y + 4, "end", "s", short(10 ^ d))
  }
  text(left, top - 6, "start", "s", yname)
  for (i = 1; i <= count; i++) for (j = 1; j <= n[order[i]]; j++) ticks[xs[order[i], j]] = 1
  for (x in ticks) {
    printf "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#999\"/>\n", px(x), px(x), top + height, top + height + 5
    text(px(x), top + height + 20, "middle", "s", short(x + 0))
  }
  text(left + width / 2, top + height + 42, "middle", "s", xname)
  split("#1261a6 #8a8a8a #c23b22 #2e8b57 #b8860b #7b4ea3", colour, " ")
  hue["Simple_Chat"] = 1; hue["the_floor_(C)"] = 2; hue["Redis"] = 3; hue["NATS"] = 4; hue["Mosquitto"] = 5; hue["ngircd"] = 6
  for (i = 1; i <= count; i++) {
    s = order[i]; c = colour[hue[s] ? hue[s] : 1]
    path = ""
    for (j = 1; j <= n[s]; j++) path = path sprintf("%.1f,%.1f ", px(xs[s, j]), py(ys[s, j]))
    printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s/>\n", path, c, s == "Simple_Chat" ? 3 : 2, s == "the_floor_(C)" ? " stroke-dasharray=\"6 4\"" : ""
    for (j = 1; j <= n[s]; j++) printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", px(xs[s, j]), py(ys[s, j]), c
  }
  # The names stand at the right, in the order of the last values, none upon another.
  for (i = 1; i <= count; i++) rank[i] = order[i]
  for (i = 2; i <= count; i++) for (j = i; j > 1 && last[rank[j]] > last[rank[j - 1]]; j--) { t = rank[j]; rank[j] = rank[j - 1]; rank[j - 1] = t }
  at = 0
  for (i = 1; i <= count; i++) {
    s = rank[i]; y = py(last[s]); if (at && y < at + 18) y = at + 18
    at = y
    c = colour[hue[s] ? hue[s] : 1]; name = s; gsub("_", " ", name)
    printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"1\" stroke-dasharray=\"1 3\"/>\n", px(end[s]) + 5, py(last[s]), left + width + 14, y, c
    printf "<text x=\"%d\" y=\"%.1f\" class=\"n\" style=\"fill:%s\">%s</text>\n", left + width + 18, y + 4, c, name
  }
  print "</svg>"
}
