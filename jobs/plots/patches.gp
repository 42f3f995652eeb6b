# patches.gp: time and memory against the size of the patch, a line for each solver. Variables given with -e: table (rows of
# solver, f, seconds, MB; jobs/bench-patches.sh), output.
set terminal pngcairo size 1000,480 font "sans,12" linewidth 1.6 background "white"
set output output
set grid linecolor "#dddddd"
set border 3
set tics nomirror
set logscale xy
set xlabel "numbers of a patch, f"
set key left top
rows(solver) = sprintf("< grep '^%s ' '%s'", solver, table)
set multiplot layout 1,2
set ylabel "seconds to a certified gap of 1e-3"
plot rows("admm") using 2:3 with linespoints linecolor "#c8553d" pointtype 5 title "admm", \
     rows("lowrank") using 2:3 with linespoints linecolor "#1b6ca8" pointtype 7 title "lowrank"
set ylabel "MB a rank"
plot rows("admm") using 2:4 with linespoints linecolor "#c8553d" pointtype 5 title "admm", \
     rows("lowrank") using 2:4 with linespoints linecolor "#1b6ca8" pointtype 7 title "lowrank"
unset multiplot
