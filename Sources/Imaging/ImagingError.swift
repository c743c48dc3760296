/// What can go wrong with pictures, fonts and their files.
public enum ImagingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A width, height, channel count or byte count that makes no picture.
  case badSize(String)
  /// The file cannot be opened or read.
  case unreadable(path: String, reason: String)
  /// The file is not one of the kinds this module reads.
  case unknownKind(name: String)
  /// The data are damaged or cut off.
  case corrupt(name: String, kind: String, reason: String)
  /// Whole and valid, but of a kind that is not supported.
  case unsupported(name: String, kind: String, reason: String)
  /// Larger than the limits given for reading.
  case tooLarge(name: String, reason: String)
  /// The target of a write exists and replacing it was not asked for.
  case exists(path: String)
  /// The file cannot be written.
  case unwritable(path: String, reason: String)
  /// The picture cannot be encoded as asked.
  case notEncodable(kind: String, reason: String)
  /// A colour that is neither a known name nor a hexadecimal value.
  case badColor(String)
  /// A text that names no palette, and the place of the mistake counted from 1.
  case badPalette(String, character: Int, reason: String)
  /// A program of another package that is not installed.
  case missingProgram(name: String, package: String)
  /// A font that cannot be opened or used.
  case badFont(path: String, reason: String)

  /// One or two sentences for the user.
  public var description: String {
    switch self {
    case .badSize(let reason): "Bad picture size: \(reason)."
    case .unreadable(let path, let reason): "Cannot read \(path): \(reason)."
    case .unknownKind(let name):
      "\(name) is not a PNG, JPEG or WebP picture. Convert it to one of these first."
    case .corrupt(let name, let kind, let reason):
      "\(name) is a damaged \(kind) file: \(reason). Get or export the picture again."
    case .unsupported(let name, let kind, let reason):
      "\(name) is a \(kind) file of a kind that cannot be read: \(reason). Convert it to PNG first."
    case .tooLarge(let name, let reason): "\(name) is too large: \(reason)."
    case .exists(let path):
      "\(path) exists already and is not overwritten. Choose another name or remove it first."
    case .unwritable(let path, let reason): "Cannot write \(path): \(reason)."
    case .notEncodable(let kind, let reason): "The picture cannot be written as \(kind): \(reason)."
    case .badColor(let text):
      "'\(text)' is not a colour. Use a name such as 'orange' or a value such as '#ff8800'."
    case .badPalette(let text, let character, let reason):
      "The palette '\(text)' is wrong at character \(character): \(reason)."
    case .missingProgram(let name, let package):
      "The program \(name) is not on the PATH. Install it with: apt-get install \(package)"
    case .badFont(let path, let reason): "Cannot use the font \(path): \(reason)."
    }
  }
}
