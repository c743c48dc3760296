import Foundation
import Torch
import Weights

/// The discrete VAE of DALL·E (Ramesh et al., "Zero-Shot Text-to-Image Generation", 2021): pictures to
/// logits over a vocabulary of codes, an eighth of the size, and codes back to pictures.
///
/// Follows `dall_e/encoder.py`, `decoder.py` and `utils.py` of openai/DALL-E at 5be4b23, keys verbatim.
/// Difference: no float16 on the CPU. Pictures pass through the logit-Laplace map on both sides.
public enum DVAE {
  /// The shape of encoder and decoder; names as in the reference.
  public struct Config: Codable, Sendable, Hashable {
    /// Groups of blocks, with a change of resolution between each two.
    public var group_count: Int
    /// Channels at the highest resolution.
    public var n_hid: Int
    /// Blocks of each group.
    public var n_blk_per_group: Int
    /// Number of codes.
    public var vocab_size: Int
    /// Channels that the decoder begins with.
    public var n_init: Int

    /// A configuration; what is left out is that of the published files.
    public init(
      group_count: Int = 4, n_hid: Int = 256, n_blk_per_group: Int = 2, vocab_size: Int = 8192,
      n_init: Int = 128
    ) {
      self.group_count = group_count
      self.n_hid = n_hid
      self.n_blk_per_group = n_blk_per_group
      self.vocab_size = vocab_size
      self.n_init = n_init
    }

    /// https://cdn.openai.com/dall-e/encoder.pkl and decoder.pkl
    public static let published = Config()

    /// Pixels of a picture along each axis for one code.
    public var factor: Int { 1 << (group_count - 1) }

    /// The factor on every residual path.
    var gain: Double {
      let layers = Double(group_count * n_blk_per_group)
      return 1 / (layers * layers)
    }

    /// Reads the sizes from the shapes of an encoder's or a decoder's file.
    /// - Returns: nil when they are neither's.
    public init?(detecting shapes: [String: [Int]]) {
      func numbers(_ prefix: String) -> Int {
        Set(
          shapes.keys.filter { $0.hasPrefix(prefix) }
            .map { $0.dropFirst(prefix.count).prefix { $0 != "." } }
        ).count
      }
      guard let input = shapes["blocks.input.w"], let output = shapes["blocks.output.conv.w"],
        input.count == 4, output.count == 4
      else { return nil }
      let isEncoder = input[3] == 7
      self.init(
        group_count: numbers("blocks.group_"), n_hid: isEncoder ? input[0] : output[1],
        n_blk_per_group: numbers("blocks.group_1.block_"),
        vocab_size: isEncoder ? output[0] : input[1], n_init: isEncoder ? 128 : input[0])
      guard (1...8).contains(group_count), (1...64).contains(n_blk_per_group) else { return nil }
    }
  }

  private static let epsilon = 0.1

  /// Values in 0…1 to those that the networks see, 0.1…0.9.
  public static func mapped(_ x: Tensor) -> Tensor { x * (1 - 2 * epsilon) + epsilon }

  /// The inverse of ``mapped(_:)``.
  public static func unmapped(_ x: Tensor) -> Tensor {
    ((x - epsilon) / (1 - 2 * epsilon)).clamped(0, 1)
  }
}

/// A convolution that keeps the size. Weights: `w` `[out, in, k, k]`, `b` `[out]`.
struct DVAEConv {
  let w: Tensor, b: Tensor

  init(_ p: Parameters, _ inputs: Int, _ outputs: Int, _ kernel: Int) {
    w = p("w", [outputs, inputs, kernel, kernel])
    b = p("b", [outputs], .zeros)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { x.conv2d(w, b, padding: (w.size(2) - 1) / 2) }
}

/// Four convolutions beside a shortcut.
struct DVAEBlock {
  let id_path: DVAEConv?
  let res_path: [DVAEConv]
  let gain: Double

  /// - Parameter kernels: of the four convolutions.
  init(_ p: Parameters, _ inputs: Int, _ outputs: Int, kernels: [Int], gain: Double) {
    let hidden = outputs / 4
    id_path = inputs == outputs ? nil : DVAEConv(p / "id_path", inputs, outputs, 1)
    res_path = kernels.enumerated().map { index, kernel in
      DVAEConv(
        p / "res_path" / "conv_\(index + 1)", index == 0 ? inputs : hidden,
        index == kernels.count - 1 ? outputs : hidden, kernel)
    }
    self.gain = gain
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let h = res_path.reduce(x) { h, conv in conv(h.relu()) }
    return (id_path?(x) ?? x) + h * gain
  }
}

/// Pictures to logits over the codes.
public struct DVAEEncoder {
  let input: DVAEConv
  let groups: [[DVAEBlock]]
  let output: DVAEConv

  /// The encoder with parameters at `p`.
  public init(_ p: Parameters, _ config: DVAE.Config) {
    let p = p / "blocks"
    input = DVAEConv(p / "input", 3, config.n_hid, 7)
    groups = (0..<config.group_count).map { group in
      let width = config.n_hid << group
      return (0..<config.n_blk_per_group).map { block in
        DVAEBlock(
          p / "group_\(group + 1)" / "block_\(block + 1)",
          group > 0 && block == 0 ? width / 2 : width, width, kernels: [3, 3, 3, 1],
          gain: config.gain)
      }
    }
    output = DVAEConv(
      p / "output" / "conv", config.n_hid << (config.group_count - 1), config.vocab_size, 1)
  }

  /// - Parameter images: `[B, 3, H, W]` in 0…1, sizes multiples of the factor.
  /// - Returns: `[B, K, H / factor, W / factor]` float32
  public func callAsFunction(_ images: Tensor) -> Tensor {
    let x = input(DVAE.mapped(images).to(input.w.dtype).contiguous(channelsLast: true))
    let h = groups.enumerated().reduce(x) { h, group in
      let h = group.element.reduce(h) { h, block in block(h) }
      return group.offset < groups.count - 1 ? h.maxPooled(2) : h
    }
    return output(h.relu()).to(.float32)
  }
}

/// Codes, or mixtures of them, to pictures.
public struct DVAEDecoder {
  /// The shape of the network.
  public let config: DVAE.Config
  let input: DVAEConv
  let groups: [[DVAEBlock]]
  let output: DVAEConv

  /// The decoder with parameters at `p`.
  public init(_ p: Parameters, _ config: DVAE.Config) {
    self.config = config
    let p = p / "blocks"
    input = DVAEConv(p / "input", config.vocab_size, config.n_init, 1)
    let deepest = config.group_count - 1
    groups = (0..<config.group_count).map { group in
      let width = config.n_hid << (deepest - group)
      return (0..<config.n_blk_per_group).map { block in
        let inputs = block > 0 ? width : group == 0 ? config.n_init : 2 * width
        return DVAEBlock(
          p / "group_\(group + 1)" / "block_\(block + 1)", inputs, width,
          kernels: [1, 3, 3, 3], gain: config.gain)
      }
    }
    output = DVAEConv(p / "output" / "conv", config.n_hid, 6, 1)
  }

  /// - Parameter codes: `[B, K, h, w]`, one-hot or any mixture.
  /// - Returns: `[B, 3, h * factor, w * factor]` in 0…1, float32
  public func callAsFunction(_ codes: Tensor) -> Tensor {
    // The other three channels are the spread of the Laplace distributions.
    DVAE.unmapped(statistics(codes).narrowed(1, 0, 3).sigmoid())
  }

  /// A picture drawn from the Laplace distributions that the network gives for each value, instead of their
  /// middles.
  /// - Parameters:
  ///   - codes: `[B, K, h, w]`, one-hot or any mixture.
  ///   - scale: by how much more they spread than the network says.
  ///   - uniform: even random numbers in 0…1 of a shape.
  /// - Returns: `[B, 3, h * factor, w * factor]` in 0…1, float32
  public func sampled(_ codes: Tensor, scale: Double, _ uniform: ([Int]) -> Tensor) -> Tensor {
    let found = statistics(codes)
    let middle = found.narrowed(1, 0, 3)
    let place = (uniform(middle.shape) * 2 - 1).to(middle.device)  // -1…1
    // The inverse of the distribution function, of spread one.
    let size = -(1 - place.abs()).clamped(1e-6, 1).log()
    let noise = size * (1 - place.less(than: 0).to(.float32) * 2)
    return DVAE.unmapped((middle + found.narrowed(1, 3, 3).exp() * noise * scale).sigmoid())
  }

  /// The Laplace distributions of the logits of the picture's values: their middles, then the logarithms of
  /// their spreads.
  /// - Parameter codes: `[B, K, h, w]`, one-hot or any mixture.
  /// - Returns: `[B, 6, h * factor, w * factor]` float32
  public func statistics(_ codes: Tensor) -> Tensor {
    let x = input(codes.to(input.w.dtype).contiguous(channelsLast: true))
    let h = groups.enumerated().reduce(x) { h, group in
      let h = group.element.reduce(h) { h, block in block(h) }
      guard group.offset < groups.count - 1 else { return h }
      return h.resampled(2 * h.size(2), 2 * h.size(3), .nearest)
    }
    return output(h.relu()).to(.float32)
  }
}

extension DVAE.Config: NetworkConfig {
  /// What is wrong with it; nil when nothing is.
  public var problem: String? {
    guard (1...8).contains(group_count), (1...64).contains(n_blk_per_group),
      (4...4096).contains(n_hid), n_hid % 4 == 0, (1...65_536).contains(vocab_size),
      (1...65_536).contains(n_init)
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String { "DALL·E's dVAE, \(vocab_size) codes" }
  /// Pixels for a code along each axis.
  public var pixelsPerPosition: Int? { factor }
}

extension DVAEEncoder: Network {
  /// OpenAI's `encoder.pkl`.
  public static let architecture = DVAE.architecture(
    "dvae-encoder", DVAEEncoder.self, isEncoder: true)
}

extension DVAEDecoder: Network {
  /// OpenAI's `decoder.pkl`.
  public static let architecture = DVAE.architecture(
    "dvae-decoder", DVAEDecoder.self, isEncoder: false)
}

extension DVAE {
  /// One half: both have the same keys, and the encoder's first kernel is seven wide.
  fileprivate static func architecture<Half: Network>(
    _ id: String, _ type: Half.Type, isEncoder: Bool
  ) -> Architecture where Half.Config == Config {
    Architecture(
      id, type, kind: "dvae", layouts: [.init("OpenAI dVAE", mark: "blocks.input.w")]
    ) { checkpoint, _ in
      guard (checkpoint.shape("blocks.input.w")?.last == 7) == isEncoder else { return nil }
      return Config(detecting: checkpoint.shapes).map { ($0, []) }
    }
  }
}
