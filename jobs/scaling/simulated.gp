# simulated.gp: efficiency that is simulated, against ranks, and what bounds it. Variables given with -e: data, picture, curves. Blocks of data: a job
# each, with its name, ranks, efficiency and the share of computing that plan has counted, in percent.
set terminal pngcairo size 900,460 font "sans,12" linewidth 1.6 background "white"
set output picture
set grid linecolor "#dddddd"
set border 3
set tics nomirror
set key outside right top samplen 2.5
set logscale x 2
set xrange [14:1200]
set yrange [0:105]
set xlabel "ranks, 64 on a node"
set ylabel "% of the time of the smallest run over ranks"
set title "Simulated efficiency (lines) and computing alone, counted (dashed)"
array colour[8] = ["#1b6ca8", "#c8553d", "#3a7d44", "#7a4fa3", "#c98a1b", "#2a9d9d", "#a33f6f", "#666666"]
plot for [k=0:curves-1] data index k using 2:3 with linespoints pointtype (k%4)*2+5 linecolor rgb colour[k%8+1] title columnheader(1), \
     for [k=0:curves-1] data index k using 2:4 with lines dashtype 2 linecolor rgb colour[k%8+1] notitle
