"""Writes Fixtures/attngan.safetensors and Fixtures/attngan/: what taoxugit/AttnGAN makes of texts and noise.

    git clone https://github.com/taoxugit/AttnGAN .oracle/checkouts/AttnGAN && git -C .oracle/checkouts/AttnGAN checkout 0d000e6

Run with the folder of checkouts. Weights at the published sizes are those that `weight` makes of their keys, and are not
kept; pictures are kept at every eighth pixel. In the folder lie reduced networks in the files that people have: state
dictionaries of PyTorch 0.3 and the dictionary as Python 2 pickled it.
"""
from common import *

import collections
import io
import pickle
import sys

CHECKOUT = pathlib.Path(sys.argv[1]) / "AttnGAN" / "code"
sys.path.insert(0, str(CHECKOUT))

import torchvision
from safetensors.torch import save_file

from miscc.config import cfg

cfg.CUDA = False
cfg.TRAIN.SMOOTH.GAMMA1 = 4.0  # cfg/DAMSM/bird.yml
import miscc.losses
import model as attngan

out = {}


def synthetic(network):
    """The network with the weights that the keys give."""
    state = {k: weight(k, v.shape) if v.dtype == torch.float32 else v for k, v in network.state_dict().items()}
    network.load_state_dict(state)
    return network.eval()


def count(network):
    return torch.tensor(sum(p.numel() for p in network.parameters()))


def draw(name, network, sentence, words, mask, noise, eps, every):
    """One text at a time: with several, the original exchanges their masks."""
    attngan.CA_NET.reparametrize = lambda self, mean, spread: mean + (0.5 * spread).exp() * eps
    pictures, maps, mean, spread = network(noise, sentence, words, mask)
    out[f"{name}.mean"], out[f"{name}.spread"] = mean, spread
    for index, picture in enumerate(pictures):
        out[f"{name}.picture.{index}"] = picture[..., ::every, ::every]
    for index, attention in enumerate(maps):
        out[f"{name}.attention.{index}"] = attention[..., ::every, ::every]
    return pictures


torch.manual_seed(26)
with torch.no_grad():
    # The text encoder for birds, of texts with 7, 4 and 1 words.
    text = synthetic(attngan.RNN_ENCODER(5450, nhidden=256))
    tokens = torch.randint(1, 5450, (3, 7))
    lengths = torch.tensor([7, 4, 1])
    for row, length in enumerate(lengths):
        tokens[row, length:] = 0
    words, sentence = text(tokens, lengths, text.init_hidden(3))
    out |= {"text.tokens": tokens, "text.lengths": lengths, "text.words": words, "text.sentence": sentence,
            "text.count": count(text)}

    noise, eps = torch.randn(1, 100), torch.randn(1, 100)
    out |= {"noise": noise, "eps": eps}
    for name, width, blocks, kind in (("bird", 32, 2, attngan.G_NET), ("coco", 48, 3, attngan.G_NET),
                                      ("dcgan", 32, 0, attngan.G_DCGAN)):
        cfg.GAN.GF_DIM, cfg.GAN.R_NUM = width, blocks
        network = synthetic(kind())
        out[f"{name}.count"] = count(network)
        # The second text: its last three columns are masked.
        pictures = draw(name, network, sentence[1:2], words[1:2], tokens[1:2] == 0, noise, eps, 8)
        print(name, out[f"{name}.count"].item(), len(network.state_dict()), [p.abs().max().item() for p in pictures])

    # The image encoder, of which published files hold no more than these keys.
    images = attngan.CNN_ENCODER.__new__(attngan.CNN_ENCODER)
    torch.nn.Module.__init__(images)
    images.nef = 256
    images.define_module(torchvision.models.inception_v3(weights=None, init_weights=False))
    synthetic(images)
    seen = torch.rand(2, 3, 256, 256) * 2 - 1
    seen = torch.nn.functional.avg_pool2d(seen, 32)
    out["damsm.pictures"] = seen
    regions, whole = images(torch.nn.functional.interpolate(seen, 256))
    out |= {"damsm.regions": regions[:, ::16], "damsm.whole": whole, "damsm.count": count(images)}
    print("damsm", regions.abs().max().item(), whole.abs().max().item())

# How texts and pictures go together, at a reduced size, and its gradient.
regions = torch.randn(3, 16, 5, 5, requires_grad=True)
whole = torch.randn(3, 16, requires_grad=True)
words, sentence = torch.randn(3, 16, 7, requires_grad=True), torch.randn(3, 16)
labels = torch.arange(3)
first, second, maps = miscc.losses.words_loss(regions, words, labels, lengths, None, 3)
third, fourth = miscc.losses.sent_loss(whole, sentence, labels, None, 3)
slopes = torch.autograd.grad(first + second + third + fourth, (regions, words, whole))
out |= {"loss.regions": regions, "loss.words": words, "loss.whole": whole, "loss.sentence": sentence,
        "loss.of_words": first + second, "loss.of_wholes": third + fourth, "loss.map": maps[1],
        "loss.slope.regions": slopes[0], "loss.slope.words": slopes[1], "loss.slope.whole": slopes[2]}

# Files as people have them, reduced.
folder = FIXTURES / "attngan"
folder.mkdir(exist_ok=True)
captions = ["this bird is red with white and has a very short beak", "a small yellow bird, with a black crown"]
found = ["<end>"] + sorted({w for c in captions for w in c.replace(",", "").split()})
numbers = {w: i for i, w in enumerate(found)}
rows = [[numbers[w] for w in c.replace(",", "").split()] for c in captions]
stream = io.BytesIO()
pickle.dump([rows, rows[:1], dict(enumerate(found)), numbers], stream, protocol=2)
# The one word that was no unicode in Python 2, in which captions were.
stored = stream.getvalue().replace(b"X\x05\0\0\0<end>", b"U\x05<end>")
assert pickle.loads(stored, encoding="ascii")[3] == numbers
(folder / "captions.pickle").write_bytes(stored)


def old(network, name):
    """As PyTorch 0.3 saved it: no counts of batches, and the container before 1.6."""
    state = collections.OrderedDict(
        (k, v) for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked"))
    torch.save(state, folder / name, _use_new_zipfile_serialization=False)


with torch.no_grad():
    cfg.TEXT.EMBEDDING_DIM, cfg.GAN.CONDITION_DIM, cfg.GAN.Z_DIM = 8, 4, 5
    cfg.GAN.GF_DIM, cfg.GAN.R_NUM = 1, 1
    text = synthetic(attngan.RNN_ENCODER(len(found), ninput=6, nhidden=8))
    network = synthetic(attngan.G_NET())
    old(text, "text_encoder200.pth")
    old(network, "bird_AttnGAN2.pth")
    asked = torch.tensor([[numbers[w] for w in "a red bird with a black beak".split()]])
    words, sentence = text(asked, torch.tensor([7]), text.init_hidden(1))
    noise, eps = torch.randn(1, 5), torch.randn(1, 4)
    draw("small", network, sentence, words, asked == 0, noise, eps, 4)
    out |= {"small.tokens": asked, "small.noise": noise, "small.eps": eps}

save_file({k: v.detach().contiguous().clone() for k, v in out.items()}, FIXTURES / "attngan.safetensors")
