/// Random numbers that depend on nothing but a key: seed, stream and index.
///
/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014). Every
/// example of the corpus has its own generator, so examples can be made in any order and on any
/// thread and stay the same, on every machine.
public struct KeyedRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A generator for one key.
  ///
  /// - Parameters:
  ///   - seed: The seed of the run.
  ///   - stream: What the numbers are for; different streams are independent.
  ///   - index: Which example.
  public init(seed: UInt64, stream: String, index: UInt64 = 0) {
    self.init(seed: seed, stream: Self.hash(stream), index: index)
  }

  /// A generator for one key whose stream was hashed before.
  init(seed: UInt64, stream: UInt64, index: UInt64) {
    state = Self.mix(Self.mix(Self.mix(seed) ^ stream) &+ index &* 0xd134_2543_de82_ef95)
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Self.mix(state)
  }

  /// A number in 0 ..< 1, of 53 random bits.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A whole number in 0 ..< bound; 0 when the bound is below 1.
  ///
  /// The high half of a 128-bit product: the bias is below bound / 2^64.
  public mutating func integer(below bound: Int) -> Int {
    guard bound > 1 else { return 0 }
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A whole number in a closed range.
  public mutating func integer(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + integer(below: range.upperBound - range.lowerBound + 1)
  }

  /// The elements in random order (Fisher and Yates), the same in every release of Swift.
  public mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var elements = elements
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(last, integer(below: last + 1))
    }
    return elements
  }

  /// A 64-bit hash of a text's UTF-8 (FNV-1a, finished by SplitMix64's mixer).
  public static func hash(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return mix(hash)
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
