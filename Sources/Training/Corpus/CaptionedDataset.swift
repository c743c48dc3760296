import Imaging

/// The order of values in a batch's buffer.
public enum PixelLayout: Sendable, Hashable {
  /// N, H, W, C: as in a picture file.
  case channelsLast
  /// N, C, H, W: as the networks take it.
  case channelsFirst
}

/// Pictures with captions, by index. Reading an index twice gives the same example; any thread may
/// read any index.
public protocol CaptionedDataset: Sendable {
  /// The side of every picture in pixels.
  var size: Int { get }

  /// How many different examples there are; nil when they do not end. Indices beyond wrap around.
  var count: Int? { get }

  /// One example.
  func example(_ index: Int) throws -> CorpusExample

  /// The label of an example, without making its picture.
  func label(_ index: Int) -> ExampleLabel

  /// Writes pictures of 8 bits a value into a caller's buffer, one after another, and returns their
  /// labels.
  ///
  /// The buffer must hold `indices.count * 3 * size * size` values; examples that do not fit are
  /// left out.
  func fill(
    _ indices: some Sequence<Int>, into pixels: UnsafeMutableBufferPointer<UInt8>,
    layout: PixelLayout
  ) -> [ExampleLabel]
}

extension CaptionedDataset {
  /// Writes pictures of values -1 to 1 into a caller's buffer; otherwise as `fill` of bytes.
  ///
  /// The buffer must hold `indices.count * 3 * size * size` values.
  public func fill(
    _ indices: some Sequence<Int>, into values: UnsafeMutableBufferPointer<Float>,
    layout: PixelLayout
  ) -> [ExampleLabel] {
    let each = 3 * size * size
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: each) { bytes in
      var labels: [ExampleLabel] = []
      for index in indices {
        let start = labels.count * each
        guard start + each <= values.count else { break }
        labels += fill(CollectionOfOne(index), into: bytes, layout: layout)
        for i in 0..<each { values[start + i] = Float(bytes[i]) * (2 / 255) - 1 }
      }
      return labels
    }
  }

  /// Pictures as bytes in N, C, H, W order, and their labels.
  public func batch(
    _ indices: [Int], layout: PixelLayout = .channelsFirst
  ) -> (pixels: [UInt8], labels: [ExampleLabel]) {
    var labels: [ExampleLabel] = []
    let count = indices.count * 3 * size * size
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let window = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
      labels = fill(indices, into: window, layout: layout)
      initialized = labels.count * 3 * size * size
    }
    return (pixels, labels)
  }
}
