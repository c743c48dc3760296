import CTorch

/// A named stream of random numbers.
///
/// All randomness of a picture or a training comes from streams derived from one seed by name, so
/// that a new use of chance does not disturb the others. Numbers of a picture are drawn on the CPU
/// (libtorch's MT19937) and moved, so that a seed means the same on every device; a training draws its
/// millions where they are used.
public final class RandomStream {
  private let generator: ct_generator

  /// The stream `name` of `seed`, drawn on a device; the numbers differ between kinds of devices.
  public init(seed: UInt64, _ name: String, on device: Device = .cpu) {
    var made: ct_generator?
    must("generator") { ct_generator_new(RandomStream.key(seed, name), device.number, &made) }
    guard let made else { preconditionFailure("no generator came back") }
    generator = made
  }

  deinit { ct_generator_free(generator) }

  /// FNV-1a over the name, mixed with the seed by SplitMix64's finaliser (Steele et al. 2014).
  static func key(_ seed: UInt64, _ name: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var z = seed &+ hash &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Standard normal numbers, float32.
  public func normal(_ shape: [Int]) -> Tensor {
    make("normal") { ct_normal(generator, shape.map(Int64.init), Int32(shape.count), $0) }
  }
  /// Numbers uniform in 0..<1, float32.
  public func uniform(_ shape: [Int]) -> Tensor {
    make("uniform") { ct_uniform(generator, shape.map(Int64.init), Int32(shape.count), $0) }
  }
  /// Whole numbers uniform in 0..<bound, int64.
  public func integers(below bound: Int, _ shape: [Int]) -> Tensor {
    make("randint") {
      ct_integers(generator, Int64(bound), shape.map(Int64.init), Int32(shape.count), $0)
    }
  }
  /// The numbers 0..<count in random order, int64.
  public func permutation(_ count: Int) -> Tensor {
    make("randperm") { ct_permutation(generator, Int64(count), $0) }
  }
  /// One index for each row of weights `[B, K]` (non-negative, not all zero): `[B, 1]`, int64.
  public func choose(byWeight weights: Tensor) -> Tensor {
    make("multinomial", [weights]) { ct_multinomial(generator, weights.handle, 1, $0) }
  }

  /// Where the stream stands, as an opaque uint8 tensor; setting it goes back there.
  public var state: Tensor {
    make("generator state") { ct_generator_state(generator, $0) }
  }
  /// Goes to a place that `state` gave.
  /// - Throws: `TorchError` when the tensor is not such a state.
  public func restore(_ state: Tensor) throws(TorchError) {
    try attempt("restore generator", [state]) { ct_generator_set_state(generator, state.handle) }
  }
}
