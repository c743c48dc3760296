import Foundation

/// What can be wrong with a file of weights. Every text names the file and, where there is one, the
/// tensor.
public enum WeightsError: Error, Equatable, CustomStringConvertible {
  /// The file cannot be opened, read or written.
  case file(path: String, reason: String)
  /// The file ends before what its header promises.
  case truncated(path: String, needed: Int, found: Int)
  /// The file is not what its container's format allows.
  case format(path: String, container: String, reason: String)
  /// The file is none of those that are read.
  case unknown(path: String, reason: String)
  /// The header is not what the safetensors format allows.
  case header(path: String, reason: String)
  /// One tensor's entry in the header is wrong.
  case tensor(path: String, name: String, reason: String)
  /// A tensor that was asked for is not in the file.
  case missing(path: String, name: String)
  /// The file's SHA-256 is not the expected one.
  case checksum(path: String, expected: String, found: String)
  /// A weight is no number, or infinite.
  case notFinite(path: String, name: String)
  /// The keys of a checkpoint do not fit the model.
  case mismatch(path: String, summary: String)

  /// The sentence for the user.
  public var description: String {
    switch self {
    case .file(let path, let reason):
      "\(path): \(reason)."
    case .truncated(let path, let needed, let found):
      "\(path) is truncated: its header promises \(needed) bytes, the file has \(found). "
        + "Copy or download it again."
    case .format(let path, let container, let reason):
      "\(path) is not a valid \(container): \(reason)."
    case .unknown(let path, let reason):
      "\(path) is no file of weights that Reverie reads: \(reason)."
    case .header(let path, let reason):
      "\(path) is not a valid safetensors file: \(reason)."
    case .tensor(let path, let name, let reason):
      "\(path) is not a valid safetensors file: tensor '\(name)' \(reason)."
    case .missing(let path, let name):
      "\(path) has no tensor '\(name)'."
    case .checksum(let path, let expected, let found):
      "\(path) is damaged or not the file meant: its SHA-256 is \(found), expected \(expected). "
        + "Copy or download it again."
    case .notFinite(let path, let name):
      "\(path) is damaged: '\(name)' has elements that are not numbers (NaN or infinity). "
        + "Whatever is painted with it would show nothing. Get or make the file again."
    case .mismatch(let path, let summary):
      "\(path) does not fit the model: \(summary)"
    }
  }
}
