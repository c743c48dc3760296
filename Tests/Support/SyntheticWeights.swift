import Torch

/// Parameters that depend on nothing but their keys, the same as `weight` of `Tests/ModelsTests/Oracle/common.py`.
public enum SyntheticWeights {
  /// SplitMix64 (Steele et al. 2014) counted from FNV-1a of the key.
  /// The one of this key.
  public static func tensor(_ key: String, _ shape: [Int]) -> Tensor {
    var seed: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in key.utf8 { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let fanIn = Double(shape.dropFirst().reduce(1, *))
    let values = (1...UInt64(max(1, shape.reduce(1, *)))).map { index in
      var z = seed &+ index &* 0x9E37_79B9_7F4A_7C15
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      z ^= z >> 31
      let u = Double(z >> 40) / 8_388_608 - 1
      if shape.count > 1 { return Float(u * (3 / fanIn).squareRoot()) }
      let isGain = key.hasSuffix("weight") || key.hasSuffix("running_var")
      return Float(isGain ? 1 + 0.2 * u : 0.1 * u)
    }
    return Tensor(values, shape)
  }
}

/// Gives a network those weights, and notes what it asks for.
public final class Recorder: ParameterSource {
  /// What the network has asked for, by key.
  public private(set) var shapes: [String: [Int]] = [:]

  /// Nothing asked for yet.
  public init() {}

  /// See `ParameterSource`.
  public func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor
  {
    shapes[path] = shape
    return SyntheticWeights.tensor(path, shape)
  }

  /// The weights of all that it has asked for.
  public var weights: [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: shapes.map { ($0.key, SyntheticWeights.tensor($0.key, $0.value)) })
  }
}
