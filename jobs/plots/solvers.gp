# solvers.gp: time and accuracy of planes and cars, by solver. Variables given with -e: table (name, seconds,
# iterations, objective, bound, gap, accuracy; no headings), output.
set terminal pngcairo size 1100,430 font "sans,12" linewidth 1.6 background "white"
set output output
set datafile separator ","
set border 1
set tics nomirror
set ytics scale 0
set grid xtics linecolor "#dddddd"
set logscale x
set offsets graph 0, graph 0.85, 0.6, 0.6
set yrange [] reverse
set format x "%g"
set xlabel "seconds on two cores: psdnet's whole job, the others' solve alone"
set title "Planes and cars of CIFAR-10: time and accuracy" font ",14"
set key off
plot table using 2:0:ytic(1) with points pointtype 7 pointsize 1.4 linecolor "#1b6ca8", \
     table using 2:0:(sprintf("%.3g s, gap %.0e, %.2f %% held out", $2, $6, $7)) with labels left offset 1,0 textcolor "#333333"
