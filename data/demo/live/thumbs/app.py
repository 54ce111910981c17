"""Makes a picture of a quarter of the size beside each new picture (binary PPM)."""
import os
import urllib.parse

FOLDER = os.environ.get("PICTURES") or os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "pictures")


def read_ppm(path):
    with open(path, "rb") as f:
        kind, size, depth = (f.readline().split() for _ in range(3))
        if kind != [b"P6"] or depth != [b"255"]:
            raise ValueError("not a binary PPM picture")
        width, height = map(int, size)
        return width, height, f.read()


def quarter(width, height, data):
    w, h = width // 2, height // 2
    out = bytearray(w * h * 3)
    for y in range(h):
        for x in range(w):
            for c in range(3):
                at = (2 * y * width + 2 * x) * 3 + c
                out[(y * w + x) * 3 + c] = (
                    data[at] + data[at + 3] + data[at + 3 * width] + data[at + 3 * width + 3]) // 4
    return w, h, bytes(out)


def handler(event, context):
    done = []
    for record in event["Records"]:
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        path = os.path.join(FOLDER, key)
        if not os.path.exists(path):
            print(f"picture {key}: {record['s3']['object'].get('size')} bytes, not readable from here")
            continue
        w, h, data = quarter(*read_ppm(path))
        print(f"picture {key}: now {w}x{h}")
        done.append([key, w, h, sum(data) // max(1, len(data))])
    return done
