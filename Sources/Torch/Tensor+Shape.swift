import CTorch

// Views and rearrangements. Negative dimensions count from the end.

extension Tensor {
  /// The same elements in another shape; one size may be -1.
  public func reshaped(_ shape: [Int]) -> Tensor {
    make("reshape", [self]) { ct_reshape(handle, shape.map(Int64.init), Int32(shape.count), $0) }
  }
  /// The same elements in another shape; one size may be -1.
  public func reshaped(_ shape: Int...) -> Tensor { reshaped(shape) }
  /// The same elements in a shape that is not known to fit.
  /// - Throws: `TorchError` naming this tensor's shape.
  public func checkedReshape(_ shape: [Int]) throws(TorchError) -> Tensor {
    try attemptTensor("reshape", [self]) {
      ct_reshape(handle, shape.map(Int64.init), Int32(shape.count), $0)
    }
  }
  /// Dimensions in another order.
  public func permuted(_ dims: Int...) -> Tensor { permuted(dims) }
  /// Dimensions in another order.
  public func permuted(_ dims: [Int]) -> Tensor {
    make("permute", [self]) { ct_permute(handle, dims.map(Int64.init), Int32(dims.count), $0) }
  }
  /// Two dimensions exchanged.
  public func transposed(_ a: Int = -2, _ b: Int = -1) -> Tensor {
    make("transpose", [self]) { ct_transpose(handle, Int32(a), Int32(b), $0) }
  }
  /// Dimensions of size one repeated without copying; -1 keeps a size.
  public func expanded(_ shape: [Int]) -> Tensor {
    make("expand", [self]) { ct_expand(handle, shape.map(Int64.init), Int32(shape.count), $0) }
  }
  /// A new dimension of size one before `dim`.
  public func unsqueezed(_ dim: Int) -> Tensor {
    make("unsqueeze", [self]) { ct_unsqueeze(handle, Int32(dim), $0) }
  }
  /// Without dimension `dim`, if its size is one.
  public func squeezed(_ dim: Int) -> Tensor {
    make("squeeze", [self]) { ct_squeeze(handle, Int32(dim), $0) }
  }
  /// `length` entries of dimension `dim` from `start`.
  public func narrowed(_ dim: Int, _ start: Int, _ length: Int) -> Tensor {
    make("narrow", [self]) { ct_narrow(handle, Int32(dim), Int64(start), Int64(length), $0) }
  }
  /// Entry `index` of dimension `dim`, without that dimension.
  public func select(_ dim: Int, _ index: Int) -> Tensor {
    make("select", [self]) { ct_select(handle, Int32(dim), Int64(index), $0) }
  }
  /// Entry `index` of the first dimension.
  public subscript(index: Int) -> Tensor { select(0, index) }
  /// Entries of the first dimension.
  public subscript(range: Range<Int>) -> Tensor { narrowed(0, range.lowerBound, range.count) }
  /// Equal parts along `dim`.
  public func chunks(_ count: Int, over dim: Int) -> [Tensor] {
    split(over: dim, size(dim) / count, count)
  }
  /// Each entry of `dim`, without that dimension.
  public func unbound(over dim: Int) -> [Tensor] { split(over: dim, -1, size(dim)) }

  private func split(over dim: Int, _ length: Int, _ count: Int) -> [Tensor] {
    var handles = [ct_tensor?](repeating: nil, count: count)
    must("split", [self]) { ct_split(handle, Int32(dim), Int64(length), Int32(count), &handles) }
    return handles.compactMap { $0.map(Tensor.init(handle:)) }
  }
  /// Mirrored along `dim`.
  public func flipped(_ dim: Int) -> Tensor {
    make("flip", [self]) { ct_flip(handle, Int32(dim), $0) }
  }
  /// Shifted along `dim`, what leaves at one end entering at the other.
  public func rolled(_ shift: Int, over dim: Int) -> Tensor {
    make("roll", [self]) { ct_roll(handle, Int64(shift), Int32(dim), $0) }
  }
  /// The entries of dimension `dim` that `indices` (one-dimensional, int64) name.
  public func indexSelect(_ dim: Int, _ indices: Tensor) -> Tensor {
    make("index_select", [self, indices]) {
      ct_index_select(handle, Int32(dim), indices.handle, $0)
    }
  }
  /// For each position the entry along `dim` that `indices` names there.
  public func gather(_ dim: Int, _ indices: Tensor) -> Tensor {
    make("gather", [self, indices]) { ct_gather(handle, Int32(dim), indices.handle, $0) }
  }
  /// Every entry of `dim` repeated `times` times in place.
  public func repeatInterleaved(_ times: Int, over dim: Int) -> Tensor {
    make("repeat_interleave", [self]) { ct_repeat_interleave(handle, Int64(times), Int32(dim), $0) }
  }
  /// The upper triangle from `diagonal` on; zeros elsewhere.
  public func upperTriangle(diagonal: Int = 0) -> Tensor {
    make("triu", [self]) { ct_triu(handle, Int64(diagonal), $0) }
  }

  /// How `padded` fills.
  public enum Padding: Int32, Sendable {
    case constant, reflect, replicate
  }
  /// Widened; `widths` as in PyTorch: before and after for the last dimension, then the one before it.
  public func padded(_ widths: [Int], _ padding: Padding = .constant, value: Double = 0) -> Tensor {
    make("pad", [self]) {
      ct_pad(handle, widths.map(Int64.init), Int32(widths.count), padding.rawValue, value, $0)
    }
  }
  /// `[B, C r², H, W]` to `[B, C, H r, W r]`.
  public func pixelShuffled(_ factor: Int) -> Tensor {
    make("pixel_shuffle", [self]) { ct_pixel_shuffle(handle, Int64(factor), $0) }
  }
  /// `[B, C, H r, W r]` to `[B, C r², H, W]`.
  public func pixelUnshuffled(_ factor: Int) -> Tensor {
    make("pixel_unshuffle", [self]) { ct_pixel_unshuffle(handle, Int64(factor), $0) }
  }
}

/// Tensors joined along an existing dimension.
public func concatenated(_ tensors: [Tensor], over dim: Int) -> Tensor {
  make("cat", tensors) { ct_cat(tensors.map { $0.handle }, Int32(tensors.count), Int32(dim), $0) }
}

/// Tensors of one shape joined along a new dimension.
public func stacked(_ tensors: [Tensor], over dim: Int = 0) -> Tensor {
  make("stack", tensors) {
    ct_stack(tensors.map { $0.handle }, Int32(tensors.count), Int32(dim), $0)
  }
}
