"""The plain version: what the native code computes, in NumPy float64 and written to be read.

Nothing here is fast and nothing is clever; each module is the twin of a native one and keeps its letters.

    activations   csrc/core/activations.h     f(z) and f'(z)
    cascade       csrc/core/cascade.h, cpu/   inputs, forward, loss, gradient, Jacobian, normal matrix
    philox        csrc/core/philox.h          random numbers, in Python's integers
    quantize      csrc/core/quantize.h        how a step draws its weights
    adam          csrc/core/adam.h            one update
    descent       csrc/trainers/descent.h     schedules and the loop
    rounding      csrc/trainers/rounding.h    floats to integers
    convolution   csrc/cpu/convolution.h      stacks of convolutions
    sophistication (none)                      random pictures, and the notebook itself
    seed          (none)                      the 1020-byte program, an answer from outside this library
    cases         (none)                      networks and pictures to try, and how far two answers are apart
"""
