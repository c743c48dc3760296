import Torch

extension Picture {
  /// The picture as a float32 tensor `[1, 3, H, W]` of values 0 to 1; transparency is laid over
  /// white.
  public func tensor() -> Tensor {
    let opaque = composited(over: .white)
    let plane = width * height
    let values = [Float](unsafeUninitializedCapacity: 3 * plane) { to, initialized in
      opaque.bytes.withUnsafeBufferPointer { from in
        for i in 0..<plane {
          for channel in 0..<3 { to[channel * plane + i] = Float(from[3 * i + channel]) / 255 }
        }
      }
      initialized = 3 * plane
    }
    return Tensor(values, [1, 3, height, width])
  }

  /// The picture of a tensor `[C, H, W]` or `[1, C, H, W]`, in any type and on any device; the fourth of
  /// four channels is straight alpha. Values are limited to 0 to 1 and rounded to the nearest of 256
  /// levels. A value that is not a number becomes 0.
  ///
  /// Throws `ImagingError.badSize` for any other shape.
  public init(_ tensor: Tensor) throws {
    let shape = tensor.shape
    let sizes = shape.count == 4 && shape[0] == 1 ? Array(shape.dropFirst()) : shape
    guard sizes.count == 3, [3, 4].contains(sizes[0]) else {
      throw ImagingError.badSize(
        "a tensor of shape \(shape), not [C, H, W] or [1, C, H, W] with 3 or 4 channels")
    }
    let (channels, height, width) = (sizes[0], sizes[1], sizes[2])
    let count = try Self.byteCount(width: width, height: height, channels: channels)
    let plane = width * height
    let bytes = tensor.floats().withUnsafeBufferPointer { from in
      [UInt8](unsafeUninitializedCapacity: count) { to, initialized in
        for i in 0..<plane {
          for channel in 0..<channels {
            let value = from[channel * plane + i]
            to[channels * i + channel] =
              value > 0 ? UInt8((min(value, 1) * 255).rounded(.toNearestOrAwayFromZero)) : 0
          }
        }
        initialized = count
      }
    }
    self.init(unchecked: bytes, width: width, height: height, channels: channels)
  }
}
