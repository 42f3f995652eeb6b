# convergence.gp: history.csv as a picture. Variables given with -e: history, output, name.
set terminal pngcairo size 1000,760 font "sans,12" linewidth 1.6 background "white"
set output output
set datafile separator ","
set datafile missing "NaN"
set key autotitle columnhead
set grid linecolor "#dddddd"
set border 3
set tics nomirror
set multiplot layout 2,1 title name font ",15" margins 0.11,0.97,0.09,0.90 spacing 0.02,0.09

# The first checks are far off on both sides: show what lies within a factor of two of the last objective.
stats history using "objective" name "objective" nooutput
final = objective_min
set format x ""
set ylabel "objective"
set yrange [0.5*final:1.6*final]
set key right top
plot history using "seconds":"objective" with linespoints linecolor "#1b6ca8" pointtype 7 pointsize 0.6 \
       title "objective of the network found so far", \
     history using "seconds":"bound" with linespoints linecolor "#c8553d" pointtype 5 pointsize 0.6 \
       title "certified bound: no network has less"

set format x "%g"
set xlabel "seconds in the solver"
set ylabel "relative gap"
set autoscale y
set logscale y
set format y "10^{%T}"
set key right top
plot history using "seconds":"gap" with linespoints linecolor "#333333" pointtype 7 pointsize 0.6 \
       title "(objective - bound) / objective"
unset multiplot
