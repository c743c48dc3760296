import Foundation
import Library
import Models
import TestSupport
import Torch
import Weights

@testable import Painting

/// A library of networks with random weights.
enum TinyLibrary {
  /// What the tiny pack lacks: a dVAE, an ESRGAN, a VGG-16 with LPIPS, an aesthetic head, a prior, and a network of
  /// guided-diffusion that knows classes, with a classifier of 32 pixels and a secondary model.
  static func make() throws -> ModelLibrary {
    let library = try empty()
    let dvae = DVAE.Config(n_hid: 8, vocab_size: 24, n_init: 16)
    _ = try library.add([
      file("encoder") { DVAEEncoder($0, dvae) }, file("decoder") { DVAEDecoder($0, dvae) },
    ])
    _ = try library.add([
      file("esrgan") { RRDBNet($0, .init(num_feat: 8, num_block: 1, num_grow_ch: 4)) }
    ])
    _ = try library.add([file("vgg") { VGG16($0, .init(widths: [4, 4, 4, 4, 4])) }])
    _ = try library.add([file("lpips") { LPIPS($0, .init(widths: [4, 4, 4, 4, 4])) }])
    var unet = UNet.Config(width: 32, widths: [32, 64], blocks: 1, attention: [1])
    _ = try library.add([file("guided") { GuidedDiffusion($0, .init(unet, size: 16, classes: 5)) }])
    unet.outputs = 5
    _ = try library.add([file("critic") { GuidedClassifier($0, .init(unet, size: 32)) }])
    _ = try library.add([
      file("secondary") { SecondaryDiffusion($0, .init(widths: [8, 16], lowest: 2)) }
    ])
    let prior = UnCLIPPrior.Config(
      text_ctx: 16, xf_width: 64, xf_layers: 1, xf_heads: 1, clip_dim: 16, text_dim: 32,
      hasStatistics: true)
    _ = try library.add([file("prior") { UnCLIPPrior($0, prior) }])
    _ = try library.add([file("head") { AestheticHead($0, .linear(16)) }])
    return library
  }

  /// One with nothing in it.
  static func empty() throws -> ModelLibrary {
    ModelLibrary(store: ModelStore(folder: try ScratchFolder.make("library")))
  }

  /// A file of a network with random weights.
  static func file<Model>(_ name: String, _ make: (Parameters) -> Model) throws -> URL {
    let source = Initializer(seed: 3)
    _ = make(Parameters(source))
    let tensors = source.parameters.map { ($0.key, $0.tensor.detached()) }
    let url = try ScratchFolder.make("network").appending(path: "\(name).safetensors")
    try SafeTensors.write(Dictionary(uniqueKeysWithValues: tensors), to: url)
    return url
  }
}
