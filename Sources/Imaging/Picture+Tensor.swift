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

  /// The picture of a tensor `[3, H, W]` or `[1, 3, H, W]`, in any type and on any device; values
  /// are limited to 0 to 1 and rounded to the nearest of 256 levels. A value that is not a number
  /// becomes 0.
  ///
  /// Throws `ImagingError.badSize` for any other shape.
  public init(_ tensor: Tensor) throws {
    let shape = tensor.shape
    let sizes = shape.count == 4 && shape[0] == 1 ? Array(shape.dropFirst()) : shape
    guard sizes.count == 3, sizes[0] == 3 else {
      throw ImagingError.badSize("a tensor of shape \(shape), not [3, H, W] or [1, 3, H, W]")
    }
    let (height, width) = (sizes[1], sizes[2])
    let count = try Self.byteCount(width: width, height: height, channels: 3)
    let plane = width * height
    let bytes = tensor.floats().withUnsafeBufferPointer { from in
      [UInt8](unsafeUninitializedCapacity: count) { to, initialized in
        for i in 0..<plane {
          for channel in 0..<3 {
            let value = from[channel * plane + i]
            to[3 * i + channel] =
              value > 0 ? UInt8((min(value, 1) * 255).rounded(.toNearestOrAwayFromZero)) : 0
          }
        }
        initialized = count
      }
    }
    self.init(unchecked: bytes, width: width, height: height, channels: 3)
  }
}
