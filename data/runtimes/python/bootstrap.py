"""What fnexec starts. The runtime is a module because Python keeps modules compiled, but not the file it is started
with.
"""
import sys

import fnexec_python

del sys.path[0]  # this folder's: the function's own is to be the first
fnexec_python.main()
