"""Edges: picture in, grey picture of the same size out, bright where the grey level changes or a thing ends."""

STAGES = {
    "edges.canny": "canny:Canny",
    "edges.dog": "dog:Dog",
    "edges.hed": "hed:Hed",
    "edges.laplacian": "laplacian:Laplacian",
    "edges.prewitt": "prewitt:Prewitt",
    "edges.scharr": "scharr:Scharr",
    "edges.sobel": "sobel:Sobel",
}
