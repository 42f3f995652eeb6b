# model.gp: seconds and efficiency that the model foresees, with what was measured. Variables given with -e: data,
# picture, curves, the last of which is the measured one, first and last number of ranks, most: the largest efficiency.
set terminal pngcairo size 1100,600 font "sans,12" linewidth 1.6 background "white"
set output picture
set grid linecolor "#dddddd"
set border 3
set tics nomirror
set key autotitle columnheader
array colour[3] = ["#1b6ca8", "#c8553d", "#3a7d44"]
set logscale x
set xrange [0.8*first:1.25*last]
set xlabel "ranks"
set multiplot layout 1,2 title "Model (lines) and measurement (points)" font ",15" margins 0.08,0.98,0.11,0.83 spacing 0.09
set logscale y
set autoscale yfix
set offsets 0, 0, graph 0.05, graph 0.05
set ylabel "seconds, lift to certify"
set format y "%g"
set key at screen 0.5, screen 0.91 center top maxrows 1 samplen 2.5
plot for [k=0:curves-2] data index k using 1:2 with lines linecolor rgb colour[k%3+1] dashtype 2, \
     data index curves-1 using 1:2 with points linecolor "#333333" pointtype 7
unset logscale y
set format y "%g"
set offsets 0, 0, 0, 0
set yrange [0:(most > 100 ? 1.08*most : 108)]
set ylabel "efficiency, %"
set key off
plot for [k=0:curves-2] data index k using 1:3 with lines linecolor rgb colour[k%3+1] dashtype 2, \
     data index curves-1 using 1:3 with points linecolor "#333333" pointtype 7
unset multiplot
