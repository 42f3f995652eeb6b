# filters.gp: what `filters` printed, one tile a neuron. Variables given with -e: filters, output, name, labels (a word
# a class, _ for a space, or ""), columns, rows, count.
set terminal pngcairo size 130*columns,185*rows+90 font "sans,10" background "white"
set output output
unset key
unset tics
set size ratio -1
set yrange [*:*] reverse
explanation = "what a neuron looks for in the colours of the image, grey where it does not look. Region: row, column of the pooling grid"
set multiplot layout rows,columns title name."\n{/*0.75 ".explanation."}" enhanced font ",14" margins 0.02,0.98,0.02,1-105./(185*rows+90) spacing 0.02,60./(185*rows+90)
heads = system("grep '^#' '".filters."'")
do for [k = 1:count] {
  class = word(heads, 5*k - 3)
  label = labels eq "" ? "class ".class : word(labels, int(class) + 1)
  set title label."\nweight ".word(heads, 5*k - 2)."\nregion ".word(heads, 5*k - 1).",".word(heads, 5*k) noenhanced offset 0,-0.7
  plot filters index k - 1 using 1:2:3:4:5 with rgbimage
}
unset multiplot
