# SPDX-License-Identifier: GPL-2.0-or-later
# gnuplot -e "dir='build/bench'" tests/bench/plot.gp: results.svg from programs.dat and calls.dat.
set terminal svg size 1300,460 font "sans-serif,11" background "white"
set output dir."/results.svg"
set datafile separator "\t"
set multiplot layout 1,2
set key outside below maxrows 5 samplen 1.5
set logscale x
set xrange [7:1500000]
set yrange [0:*]
set grid ytics lc rgb "#dddddd"
set format x "10^{%L}"
set xlabel "rules in the policy"
set ylabel "ns above an empty program"
set title "What the programs take for one bind"
wanted = '"port that no rule names" "user grant" "user grant beside a deny of its port" "group grant, in 32 groups" "cgroup grant, 8 levels deep" "user grant, users and ports at random"'
plot for [i=1:words(wanted)] dir."/programs.dat" using 1:(column(word(wanted, i))) with linespoints pt 7 ps 0.6 \
	title word(wanted, i)
unset logscale x
unset key
unset grid
set logscale x
set grid xtics lc rgb "#dddddd"
set lmargin 34
set xrange [1000:10000000]
set yrange [*:*] reverse
set format y "%s"
set xlabel "ns"
set ylabel ""
set style fill solid 0.7
set title "What a caller waits for bind(2)"
plot dir."/calls.dat" using 2:0:(1000):2:($0-0.35):($0+0.35):ytic(1) with boxxyerror lc rgb "#4477aa"
unset multiplot
