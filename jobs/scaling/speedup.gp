# speedup.gp: speed-up and efficiency against ranks. Variables given with -e: data, picture, study (strong or weak), curves, first and
# last (ranks), lowest (speed-up), crowded (1: some runs are oversubscribed). Blocks of data in pairs: all points of a curve, its oversubscribed ones.
set terminal pngcairo size 1100,560 font "sans,12" linewidth 1.6 background "white"
set output picture
set grid linecolor "#dddddd"
set border 3
set tics nomirror
set key autotitle columnheader
array colour[6] = ["#1b6ca8", "#c8553d", "#3a7d44", "#8e5ea2", "#b8860b", "#333333"]
set logscale x 2
set xrange [first/1.15:last*1.15]
set xlabel "ranks"
set multiplot layout 1,2 title (study eq "weak" ? "Weak scaling: images grow with ranks" : "Strong scaling: the images stay") \
  font ",15" margins 0.07,0.98,0.13,0.88 spacing 0.09
set key left top reverse Left
set logscale y 2
set yrange [lowest/1.3:last*2**(0.35*(curves+1))]
set ylabel (study eq "weak" ? "scaled speed-up" : "speed-up")
plot x with lines linecolor "#999999" dashtype 2 title "ideal", \
     for [k=0:curves-1] data index 2*k using 1:2 with linespoints linecolor rgb colour[k%6+1] pointtype 7 pointsize 1.2, \
     for [k=0:curves-1] data index 2*k+1 using 1:2 with points linecolor rgb "white" pointtype 7 pointsize 0.7 notitle
unset logscale y
set key right top
set yrange [0:130]
set ylabel "efficiency, %"
plot 100 with lines linecolor "#999999" dashtype 2 notitle, \
     for [k=0:curves-1] data index 2*k using 1:3 with linespoints linecolor rgb colour[k%6+1] pointtype 7 pointsize 1.2 notitle, \
     for [k=0:curves-1] data index 2*k+1 using 1:3 with points linecolor rgb "white" pointtype 7 pointsize 0.7 notitle, \
     NaN with points linecolor "#333333" pointtype 6 pointsize 1.2 title (crowded ? "hollow: more ranks than cores" : "")
unset multiplot
