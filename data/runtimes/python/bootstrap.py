"""What fnexec starts. The runtime is a module because Python keeps modules compiled, but not the file it is started
with. A process that multiprocessing spawns runs this file again, under another name: there it is to do nothing.
"""
import sys

if __name__ == "__main__":
    import fnexec_python

    del sys.path[0]  # this folder's: the function's own is to be the first
    fnexec_python.main()
