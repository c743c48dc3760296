import CTorch

/// Where a tensor lives and its operations run.
public enum Device: Sendable, Hashable {
  case cpu
  case cuda(Int)
  /// Nowhere: tensors with shapes and types but without elements, to lay out networks of any size.
  case meta

  var number: Int32 {
    switch self {
    case .cpu: -1
    case .cuda(let index): Int32(index)
    case .meta: -2
    }
  }

  init(number: Int32) {
    self = number == -2 ? .meta : number < 0 ? .cpu : .cuda(Int(number))
  }

  /// Every device of this machine: the CPU, then the CUDA devices that libtorch can open.
  public static var available: [Device] { [.cpu] + (0..<Int(ct_cuda_open())).map { .cuda($0) } }

  /// The first CUDA device if there is one, else the CPU.
  public static var best: Device { available.last(where: { $0 == .cuda(0) }) ?? .cpu }

  /// The floating-point type in which the device computes fastest without harm: bfloat16 on CUDA
  /// and on processors with AVX512-BF16, float32 elsewhere.
  public var fastFloat: DType {
    switch self {
    case .cuda: .bfloat16
    case .cpu, .meta: ct_cpu_has_fast_bf16() ? .bfloat16 : .float32
    }
  }

  /// Reads `cpu`, `cuda` or `cuda:1`; nil for anything else.
  public init?(_ text: String) {
    if text == "cpu" {
      self = .cpu
    } else if text == "cuda" {
      self = .cuda(0)
    } else if text.hasPrefix("cuda:"), let index = Int(text.dropFirst(5)), (0..<128).contains(index)
    {
      self = .cuda(index)
    } else {
      return nil
    }
  }
}

extension Device: CustomStringConvertible {
  /// The name as PyTorch writes it: `cpu`, `cuda:0`.
  public var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let index): "cuda:\(index)"
    case .meta: "meta"
    }
  }
}

/// Facts about the libtorch in use.
public enum Libtorch {
  /// The version, `2.13.0` for instance.
  public static var version: String { String(cString: ct_version()) }

  /// Threads that one operation may use. Same seed and same thread count give the same bytes.
  public static var threads: Int {
    get { Int(ct_threads()) }
    set { ct_set_threads(Int32(clamping: max(1, newValue))) }
  }

  /// Gives memory of tensors that are gone back to the system, which the allocator otherwise keeps.
  public static func releaseFreeMemory() { ct_release_free_memory() }
}
