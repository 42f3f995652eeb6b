# path.gp: path.csv as a picture. Variables given with -e: table, output, name, held_out (1: there are images held out).
set terminal pngcairo size 1000,900 font "sans,12" linewidth 1.6 background "white"
set output output
set datafile separator ","
set datafile missing ""
set key autotitle columnhead
set grid linecolor "#dddddd"
set border 3
set tics nomirror
set logscale x
set xrange [] reverse
set format x ""
set multiplot layout 3,1 title name font ",15" margins 0.11,0.97,0.08,0.92 spacing 0.02,0.04

set ylabel "accuracy"
set key left top
if (held_out) {
  plot table using "beta_rel":"accuracy_train" with linespoints linecolor "#1b6ca8" pointtype 7 title "training images", \
       table using "beta_rel":"accuracy_validation" with linespoints linecolor "#c8553d" pointtype 5 title "images held out"
} else {
  plot table using "beta_rel":"accuracy_train" with linespoints linecolor "#1b6ca8" pointtype 7 title "training images"
}
set ylabel "neurons"
set key off
plot table using "beta_rel":"neurons" with linespoints linecolor "#1b6ca8" pointtype 7
set ylabel "certified relative gap"
set xlabel noenhanced "beta, as a fraction of beta_max"
set format x "10^{%T}"
set logscale y
set format y "10^{%T}"
plot table using "beta_rel":"gap" with linespoints linecolor "#1b6ca8" pointtype 7
unset multiplot
