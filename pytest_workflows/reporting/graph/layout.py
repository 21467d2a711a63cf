"""The layout of a graph: nodes in layers from top to bottom, in an order that crosses few edges.

The steps of Sugiyama's method: turn round the edges that close a loop, give each node a layer, let long edges pass
through places of their own, order the layers by the mean place of their neighbours, pull the nodes under each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

GAP_X = 28
GAP_Y = 46
_SWEEPS = 8
_PASSES = 24
_DUMMY = 12
_MOST_SWEPT = 500

Link = tuple[str, str]
Neighbours = dict[str, tuple[list[str], list[str]]]
"""For each node its neighbours above, and those below."""


@dataclass
class Box:
    """A node's place.

    Attributes:
        width: In pixels.
        height: In pixels.
        x: Its centre, from the left.
        y: Its centre, from the top.
        layer: Which row it stands in, from 0.
    """

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    layer: int = 0


@dataclass(frozen=True)
class Layout:
    """A graph with places.

    Attributes:
        boxes: Nodes by their ids.
        paths: For each edge that leads downwards, the places that it passes through, ends included.
        loops: Edges that lead upwards.
        width: Of all nodes.
        height: Of all nodes.
    """

    boxes: dict[str, Box]
    paths: dict[Link, list[tuple[float, float]]]
    loops: list[Link]
    width: float
    height: float


def lay_out(sizes: dict[str, tuple[float, float]], links: Sequence[Link]) -> Layout:
    """Find a place for each node.

    Args:
        sizes: Width and height by node, in the order of reading.
        links: The edges.
    """
    boxes = {node: Box(*size) for node, size in sizes.items()}
    down, loops = _split_loops(list(sizes), links)
    _set_layers(boxes, down)
    chains = _add_dummies(boxes, down)
    pieces = [piece for chain in chains.values() for piece in pairwise(chain)]
    near = _neighbours(boxes, pieces)
    width, height = _place(boxes, _order(boxes, near, pieces), near)
    return Layout(
        boxes={node: boxes[node] for node in sizes},
        paths={link: [(boxes[one].x, boxes[one].y) for one in chain] for link, chain in chains.items()},
        loops=loops,
        width=width,
        height=height,
    )


def _split_loops(nodes: list[str], links: Sequence[Link]) -> tuple[list[Link], list[Link]]:
    """Split the edges into those that lead on, and those that lead back to a node on the way to them."""
    targets: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in links:
        targets[source].append(target)
    loops: list[Link] = []
    state: dict[str, str] = {}

    def visit(root: str) -> None:
        stack = [(root, iter(targets[root]))]
        state[root] = "open"
        while stack:
            node, rest = stack[-1]
            for target in rest:
                if state.get(target) == "open":
                    loops.append((node, target))
                elif target not in state:
                    state[target] = "open"
                    stack.append((target, iter(targets[target])))
                    break
            else:
                state[node] = "closed"
                stack.pop()

    for node in nodes:
        if node not in state:
            visit(node)
    back = set(loops)
    return [link for link in links if link not in back], loops


def _set_layers(boxes: dict[str, Box], links: list[Link]) -> None:
    """Set the layer of each node: below all nodes that lead to it."""
    near = _neighbours(boxes, links)
    open_links = {node: len(above) for node, (above, _) in near.items()}
    ready = [node for node, count in open_links.items() if not count]
    for node in ready:  # the list grows while it is read
        for target in near[node][1]:
            boxes[target].layer = max(boxes[target].layer, boxes[node].layer + 1)
            open_links[target] -= 1
            if not open_links[target]:
                ready.append(target)


def _add_dummies(boxes: dict[str, Box], links: list[Link]) -> dict[Link, list[str]]:
    """Each edge as a chain of nodes, one a layer."""
    chains: dict[Link, list[str]] = {}
    for source, target in links:
        chain = [source]
        for layer in range(boxes[source].layer + 1, boxes[target].layer):
            name = f"\0{source}\0{target}\0{layer}"
            boxes[name] = Box(_DUMMY, 0, layer=layer)
            chain.append(name)
        chains[source, target] = [*chain, target]
    return chains


def _order(boxes: dict[str, Box], near: Neighbours, pieces: list[Link]) -> list[list[str]]:
    """The layers, each in an order that follows the layers above and below it."""
    layers: list[list[str]] = [[] for _ in range(max(box.layer for box in boxes.values()) + 1)]
    for node, box in boxes.items():
        layers[box.layer].append(node)
    if len(pieces) > _MOST_SWEPT:
        return layers
    best, fewest = [list(layer) for layer in layers], _crossings(layers, pieces)
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        for layer in layers if downwards else reversed(layers):
            place = {node: at for row in layers for at, node in enumerate(row)}
            wanted = {}
            for node in layer:
                mean = _mean([place[one] for one in near[node][not downwards]])
                wanted[node] = place[node] if mean is None else mean
            layer.sort(key=wanted.__getitem__)
        crossings = _crossings(layers, pieces)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _crossings(layers: list[list[str]], pieces: list[Link]) -> int:
    place = {node: (row, at) for row, layer in enumerate(layers) for at, node in enumerate(layer)}
    by_row: dict[int, list[tuple[int, int]]] = {}
    for source, target in pieces:
        row, at = place[source]
        by_row.setdefault(row, []).append((at, place[target][1]))
    return sum(
        (one[0] - other[0]) * (one[1] - other[1]) < 0
        for ends in by_row.values()
        for one, other in combinations(ends, 2)
    )


def _neighbours(boxes: dict[str, Box], pieces: list[Link]) -> Neighbours:
    near: Neighbours = {node: ([], []) for node in boxes}
    for source, target in pieces:
        near[target][0].append(source)
        near[source][1].append(target)
    return near


def _place(boxes: dict[str, Box], layers: list[list[str]], near: Neighbours) -> tuple[float, float]:
    """Give each node its place; the width and the height of all."""
    top = 0.0
    for layer in layers:
        height = max(boxes[node].height for node in layer)
        left = 0.0
        for node in layer:
            boxes[node].x, boxes[node].y = left + boxes[node].width / 2, top + height / 2
            left += boxes[node].width + GAP_X
        top += height + GAP_Y
    for number in range(_PASSES):
        for layer in layers if number % 2 == 0 else reversed(layers):
            _pull(boxes, layer, near)
    left = min(box.x - box.width / 2 for box in boxes.values())
    for box in boxes.values():
        box.x -= left
    return max(box.x + box.width / 2 for box in boxes.values()), top - GAP_Y


def _pull(boxes: dict[str, Box], layer: list[str], near: Neighbours) -> None:
    """Move a layer's nodes towards the middle of their neighbours, as far as they leave each other room."""
    wanted = {}
    for node in layer:
        mean = _mean([boxes[one].x for side in near[node] for one in side])
        wanted[node] = boxes[node].x if mean is None else mean
    rightwards, leftwards = dict(wanted), dict(wanted)
    for one, other in pairwise(layer):
        rightwards[other] = max(rightwards[other], rightwards[one] + _room(boxes, one, other))
    for one, other in reversed(list(pairwise(layer))):
        leftwards[one] = min(leftwards[one], leftwards[other] - _room(boxes, one, other))
    for node in layer:
        boxes[node].x = (rightwards[node] + leftwards[node]) / 2


def _room(boxes: dict[str, Box], one: str, other: str) -> float:
    return (boxes[one].width + boxes[other].width) / 2 + GAP_X


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
