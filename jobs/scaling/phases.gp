# phases.gp: seconds by phase of each run, stacked. Variables given with -e: data, picture, count (runs).
set terminal pngcairo size 1000,190+34*count font "sans,12" linewidth 1.2 background "white"
set output picture
set style fill solid 0.9 border linecolor "white"
set grid x linecolor "#dddddd"
set border 3
set tics nomirror
set title "Time by phase: patch, consensus, ranks (*: more ranks than cores)"
set key at screen 0.5, screen 0.02 center bottom horizontal maxrows 1 samplen 1.5
set bmargin at screen 105.0/(190+34*count)
set xlabel "seconds"
set yrange [count-0.4:-0.6]
set xrange [0:*]
array colour[6] = ["#999999", "#3a7d44", "#1b6ca8", "#8e5ea2", "#c8553d", "#e0a030"]
edge(k) = sum [j=2:k] column(j)
plot for [k=2:7] data using (edge(k-1)):0:(edge(k-1)):(edge(k)):($0-0.36):($0+0.36):ytic(1) every ::1 with boxxyerror \
  linecolor rgb colour[k-1] title word("read lift gram factor solve certify", k-1)
