"""units.py K J [BETA [RHO]]: options of the program that default units have as -activation 0.09,0.5,0.47 -pixel_scale 255 (-beta BETA
-rho RHO): activation 2^K (a 2^2J, b 2^J, c), pixels over 2^J, and beta and rho to match. Features are 2^K times as large, exactly."""
import sys

K, J, *penalties = (float(word) for word in sys.argv[1:])
a, b, c = (value * 2 ** (K + power * J) for value, power in ((0.09, 2), (0.5, 1), (0.47, 0)))
options = f'-activation {a!r},{b!r},{c!r} -pixel_scale {255 * 2 ** J!r}'
for name, value, power in zip(('beta', 'rho'), penalties, (1, 2)):
    options += f' -{name} {value * 2 ** (power * K)!r}'
print(options)
