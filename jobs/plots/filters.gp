# filters.gp: what `filters` printed, one image a neuron. Variables given with -e: filters, output, name, labels (a word a
# class, _ for a space, or ""), columns, rows, count.
set terminal pngcairo size 165*columns,205*rows+90 font "sans,10" background "white"
set output output
set palette defined (-1 "#2166ac", -0.5 "#92c5de", 0 "#f7f7f7", 0.5 "#f4a582", 1 "#b2182b")
set cbrange [-1:1]
unset colorbox
unset key
unset tics
set size ratio -1
set yrange [*:*] reverse
explanation = "red: brighter than the mean patch makes the neuron's input larger; blue: darker does. Region: row, column of the pooling grid"
set multiplot layout rows,columns title name."\n{/*0.75 ".explanation."}" enhanced font ",14" margins 0.02,0.98,0.02,1-105./(205*rows+90) spacing 0.02,60./(205*rows+90)
heads = system("grep '^#' '".filters."'")
do for [k = 1:count] {
  class = word(heads, 5*k - 3)
  label = labels eq "" ? "class ".class : word(labels, int(class) + 1)
  set title label."\nweight ".word(heads, 5*k - 2)."\nregion ".word(heads, 5*k - 1).",".word(heads, 5*k) noenhanced offset 0,-0.7
  plot filters index k - 1 matrix with image
}
unset multiplot
