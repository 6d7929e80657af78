"""The encoder as it is trained, and as it is written down for `encoder.Encoder`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.nn import functional

from bot.understanding.build_start import Start
from bot.understanding.encoder import LONGEST
from bot.understanding.features import Floats
from bot.understanding.heads import PARTS
from bot.understanding.owners import SPOKEN
from bot.understanding.traits import TRAITS

PADDING = 1
FIELDS = PARTS[0]
OUTPUTS = PARTS[-1] + 1
OWNER_WIDTH = 64
_EPSILON = 1e-12
_NEVER = -1e4
_OWN = "com.microsoft"  # ONNX Runtime's own operators


@dataclass(frozen=True, slots=True)
class Shape:
    """Which of the start's `layers` are taken, and of their inner widths how many, those that matter most (`inner`).
    From the layer `pairs_from` on the means of two neighbours are read, in half the time, and what is found is added to
    each of the two; None: every token."""

    layers: tuple[int, ...]
    inner: int
    pairs_from: int | None


TAUGHT = Shape((0, 1, 2), 1024, 0)
TEACHER = Shape(tuple(range(12)), 1536, None)


class Layer(nn.Module):
    def __init__(self, start: Start, number: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = start.heads, dropout
        names = [f"l{number}.{name}" for name in ("q", "k", "v")]
        self.mixed = _linear(
            np.concatenate([start.matrix(name) for name in names], axis=1),
            np.concatenate([start.array(f"{name}.b") for name in names]),
        )
        self.joined = _linear(start.matrix(f"l{number}.ao"), start.array(f"l{number}.ao.b"))
        wide, narrow = start.matrix(f"l{number}.fi"), start.matrix(f"l{number}.fo")
        kept = np.sort(np.argsort(-np.linalg.norm(wide, axis=0) * np.linalg.norm(narrow, axis=1))[:inner])
        self.wide = _linear(wide[:, kept], start.array(f"l{number}.fi.b")[kept])
        self.narrow = _linear(narrow[kept], start.array(f"l{number}.fo.b"))
        self.first, self.second = _norm(start, f"l{number}.aln"), _norm(start, f"l{number}.oln")

    def forward(self, seen: Tensor, mask: Tensor) -> Tensor:
        texts, tokens, width = seen.shape
        split = self.mixed(seen).view(texts, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        looked = functional.scaled_dot_product_attention(
            split[0], split[1], split[2], attn_mask=mask[:, None, None, :],
            dropout_p=self.dropout if self.training else 0.0,
        )  # fmt: skip
        joined = self.joined(looked.transpose(1, 2).reshape(texts, tokens, width))
        seen = self.first(seen + functional.dropout(joined, self.dropout, self.training))
        narrow = self.narrow(functional.gelu(self.wide(seen), approximate="tanh"))
        result: Tensor = self.second(seen + functional.dropout(narrow, self.dropout, self.training))
        return result


class Net(nn.Module):
    def __init__(self, start: Start, kept: list[int], shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        width = start.width
        self.dropout, self.pairs_from = dropout, shape.pairs_from
        self.words = nn.Embedding(len(kept), width, PADDING, _weight=torch.from_numpy(start.words()[kept]))
        places = start.array("emb.pos").reshape(-1, width)[:LONGEST] + start.array("emb.type").reshape(-1, width)[0]
        self.places = nn.Parameter(torch.from_numpy(places))
        self.norm = _norm(start, "emb.ln")
        self.layers = nn.ModuleList(Layer(start, number, shape.inner, dropout) for number in shape.layers)
        self.head = _new(2 * width, OUTPUTS)
        self.part = _new(width, FIELDS)
        self.query, self.key = nn.Linear(width, OWNER_WIDTH), nn.Linear(width, OWNER_WIDTH)
        self.traits_query = nn.Parameter(torch.zeros(len(TRAITS), OWNER_WIDTH))
        self.links = nn.Parameter(torch.zeros(len(SPOKEN), 1))
        self.links_of_field = nn.Parameter(torch.zeros(len(SPOKEN), FIELDS))
        self.nobody = nn.Parameter(torch.zeros(FIELDS))
        self.traits = nn.Parameter(torch.zeros(len(TRAITS), FIELDS))
        self.whole = nn.Parameter(torch.tensor([0.3]))

    def forward(self, ids: Tensor) -> Tensor:
        """Texts × tokens → texts × tokens × width."""
        seen: Tensor = self.norm(self.words(ids) + self.places[: ids.shape[1]])
        seen = functional.dropout(seen, self.dropout, self.training)
        mask, alone = ids != PADDING, None
        for number, layer in enumerate(self.layers):
            if number == self.pairs_from:
                alone, (seen, mask) = seen, _pairs(seen, mask)
            seen = layer(seen, mask)
        return seen if alone is None else alone + seen.repeat_interleave(2, 1)[:, : ids.shape[1]]

    def told(self, pooled: Tensor) -> Tensor:
        """Log-odds of heads' outputs."""
        odds: Tensor = self.head(functional.dropout(pooled, 2 * self.dropout, self.training))
        return odds

    def told_of_someone(self, seen: Tensor, inside: Tensor) -> Tensor:
        """Log-odds of the fields that the tokens `inside` (texts × tokens) tell of anybody, texts × fields."""
        told = self.part(functional.dropout(seen, self.dropout, self.training))
        return torch.logsumexp(told.masked_fill(~inside[..., None], _NEVER), -2)

    def owned(self, tokens: Tensor, inside: Tensor, persons: ManyPersons, whole: Tensor) -> Tensor:
        """As `owners.Owners.owned`, of many texts: texts × persons × fields. `tokens` texts × tokens × width, of which
        those `inside` are; `whole`: log-odds of the fields of the whole text."""
        told = self.part(functional.dropout(tokens, self.dropout, self.training))
        told = told.masked_fill(~inside[..., None], _NEVER)
        share = persons.mentions / persons.mentions.sum(-1, keepdim=True).clamp(min=1)
        looks = self.query(share @ tokens) + persons.traits @ self.traits_query
        looks = looks @ self.key(tokens).transpose(-1, -2) / OWNER_WIDTH**0.5
        spoken = looks[..., None] + persons.links @ (self.links + self.links_of_field)
        spoken = spoken.masked_fill(~persons.there[..., None, None], _NEVER)
        nobody = self.nobody.expand(len(tokens), 1, tokens.shape[1], FIELDS)
        spoken = torch.log_softmax(torch.cat([spoken, nobody], 1), 1)[:, :-1]
        odds = torch.logsumexp(told[:, None] + spoken, 2)
        return odds + persons.traits @ self.traits + self.whole * whole[:, None]

    def write(self, folder: Path) -> None:
        """Layers in one byte a weight for ONNX Runtime, the table of words in one byte, the rest for numpy."""
        folder.mkdir(parents=True, exist_ok=True)
        model = folder / "layers.float.onnx"
        onnx.save(_graph(self.norm, [layer for layer in self.layers if isinstance(layer, Layer)]), str(model))
        quantize_dynamic(
            model, folder / "layers.onnx", weight_type=QuantType.QInt8, per_channel=True,
            reduce_range=True,  # seven bits: processors without VNNI add two products in sixteen, which must hold them
            extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
        )  # fmt: skip
        model.unlink()
        words = _numbers(self.words.weight)
        steps = np.maximum(np.abs(words).max(axis=1), 1e-9) / 127
        np.savez_compressed(
            folder / "weights.npz",
            allow_pickle=False,
            words=np.round(words / steps[:, None]).astype(np.int8),
            word_steps=steps.astype(np.float32),
            places=_numbers(self.places).astype(np.float16),
            head_weight=_numbers(self.head.weight).T.astype(np.float16), head_bias=_numbers(self.head.bias),
            part_weight=_numbers(self.part.weight).T.astype(np.float16), part_bias=_numbers(self.part.bias),
            owner_query_weight=_numbers(self.query.weight).T, owner_query_bias=_numbers(self.query.bias),
            owner_key_weight=_numbers(self.key.weight).T, owner_key_bias=_numbers(self.key.bias),
            owner_traits_query=_numbers(self.traits_query),
            owner_links=_numbers(self.links + self.links_of_field),
            owner_traits=_numbers(self.traits), owner_whole=_numbers(self.whole), owner_nobody=_numbers(self.nobody),
        )  # fmt: skip


class ManyPersons(NamedTuple):
    """Of many texts: `there` texts × persons; `mentions` × tokens: which tokens name them; `links` × tokens × SPOKEN;
    `traits` × TRAITS."""

    there: Tensor
    mentions: Tensor
    links: Tensor
    traits: Tensor


def pooled(seen: Tensor, inside: Tensor) -> Tensor:
    """Mean and maximum of the tokens in each mask, side by side. `seen` texts × tokens × width, `inside` texts ×
    tokens; as `encoder._pooled`."""
    share = inside[..., None].float()
    mean = (seen * share).sum(-2) / share.sum(-2).clamp(min=1)
    most = seen.masked_fill(~inside[..., None], _NEVER).amax(-2)
    return torch.cat([mean, most * (most > _NEVER / 2)], dim=-1)


def _pairs(seen: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The means of every two tokens, without padding."""
    if seen.shape[1] % 2:
        seen, mask = functional.pad(seen, (0, 0, 0, 1)), functional.pad(mask, (0, 1))
    both = mask.view(len(mask), -1, 2)
    total = (seen * mask[..., None]).view(*both.shape, seen.shape[-1]).sum(2)
    return total / both.sum(2, keepdim=True).clamp(min=1), both.any(2)


def _linear(weights: Floats, bias: Floats) -> nn.Linear:
    layer = nn.Linear(*weights.shape)
    layer.weight.data, layer.bias.data = torch.from_numpy(weights.T.copy()), torch.from_numpy(bias.copy())
    return layer


def _norm(start: Start, name: str) -> nn.LayerNorm:
    norm = nn.LayerNorm(start.width, eps=_EPSILON)
    norm.weight.data, norm.bias.data = (torch.from_numpy(start.array(f"{name}.{part}")) for part in "wb")
    return norm


def _new(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=0.02)
    nn.init.constant_(layer.bias, -3.0)
    return layer


def _numbers(tensor: Tensor) -> Floats:
    return np.asarray(tensor.detach().numpy(), np.float32)


def _graph(norm: nn.LayerNorm, layers: list[Layer]) -> onnx.ModelProto:
    """x (1 × tokens × width, the words' rows with their places) → h, the same shape. As `Net.forward` of TAUGHT."""
    nodes, weights = [], []

    def kept(name: str, values: Tensor) -> str:
        weights.append(numpy_helper.from_array(np.ascontiguousarray(_numbers(values)), name))
        return name

    def node(kind: str, inputs: list[str], out: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def numbers(name: str, *values: int) -> str:
        weights.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def matmul(name: str, seen: str, layer: nn.Linear) -> str:
        return node("MatMul", [seen, kept(f"{name}.w", layer.weight.T)], f"{name}.out")

    def add_and_norm(name: str, new: str, before: str, norm: nn.LayerNorm, bias: Tensor, out: str) -> str:
        """Plain operators: ONNX Runtime's own joined one takes half as long again."""
        new = node("Add", [new, kept(f"{name}.add", bias)], f"{name}.new")
        both = node("Add", [new, before], f"{name}.sum")
        inputs = [both, kept(f"{name}.g", norm.weight), kept(f"{name}.b", norm.bias)]
        return node("LayerNormalization", inputs, out, axis=-1, epsilon=_EPSILON)

    def read(seen: str, number: int, layer: Layer) -> str:
        name = f"l{number}"
        mixed = matmul(f"{name}.mixed", seen, layer.mixed)
        split = [f"{name}.{part}" for part in "qkv"]
        nodes.append(helper.make_node("Split", [mixed], split, axis=2, num_outputs=3))
        biased = [*split, kept(f"{name}.mixed.b", layer.mixed.bias)]
        looked = node("MultiHeadAttention", biased, f"{name}.looked", domain=_OWN, num_heads=layer.heads)
        joined = matmul(f"{name}.joined", looked, layer.joined)
        first = add_and_norm(f"{name}.first", joined, seen, layer.first, layer.joined.bias, f"{name}.middle")
        wide = matmul(f"{name}.wide", first, layer.wide)
        bent = node("FastGelu", [wide, kept(f"{name}.wide.b", layer.wide.bias)], f"{name}.bent", domain=_OWN)
        narrow = matmul(f"{name}.narrow", bent, layer.narrow)
        return add_and_norm(f"{name}.second", narrow, first, layer.second, layer.narrow.bias, f"{name}.end")

    width = layers[0].joined.out_features
    inputs = ["x", kept("norm.g", norm.weight), kept("norm.b", norm.bias)]
    alone = node("LayerNormalization", inputs, "alone", axis=-1, epsilon=_EPSILON)
    numbers("one", 1), numbers("two", 2), numbers("nothing", 0), numbers("four_nothings", 0, 0, 0, 0)
    length = node("Gather", [node("Shape", ["x"], "shape"), "one"], "length")
    ends = node("Concat", ["four_nothings", node("Mod", [length, "two"], "odd"), "nothing"], "ends", axis=0)
    even = node("Pad", [alone, ends], "even", mode="edge")  # the last token twice is the mean of it alone
    pairs = node("Reshape", [even, numbers("in_pairs", 1, -1, 2, width)], "pairs")
    seen = node("ReduceMean", [pairs, "two"], "means", keepdims=0)
    for number, layer in enumerate(layers):
        seen = read(seen, number, layer)
    seen = node("Unsqueeze", [seen, "two"], "single")
    seen = node("Concat", [seen, seen], "twice", axis=2)
    seen = node("Reshape", [seen, numbers("in_a_row", 1, -1, width)], "again")
    seen = node("Slice", [seen, "nothing", length, "one"], "cut")
    node("Add", [alone, seen], "h")
    shapes = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, "tokens", width]) for n in ("x", "h")]
    graph = helper.make_graph(nodes, "layers", shapes[:1], shapes[1:], weights)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(_OWN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)
