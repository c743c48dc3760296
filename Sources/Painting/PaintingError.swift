/// A request that cannot be painted as it stands: the user's to mend.
public enum RequestError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There is nothing to paint.
  case emptyPrompt
  /// The prompt cannot be read.
  case badPrompt(String)
  /// A parameter has a value out of its range or of another type.
  case badValue(field: String, reason: String)
  /// A key that is no parameter; `nearest` is the most similar one.
  case unknownField(String, nearest: String?)
  /// The document is no request.
  case notARequest(String)
  /// The parameter belongs to other methods.
  case notOfMethod(field: String, method: Method.ID, methods: [Method.ID])
  /// The method cannot do what is asked.
  case impossible(method: Method.ID, reason: String)

  /// The sentence without its final stop, to stand in another one.
  var sentence: String {
    let text = description
    return text.hasSuffix(".") ? String(text.dropLast()) : text
  }

  /// One or two sentences for the user.
  public var description: String {
    switch self {
    case .emptyPrompt:
      "The prompt is empty. Say what to paint, for instance: \"a red fox on a blue background\"."
    case .badPrompt(let reason): "The prompt cannot be used: \(reason)."
    case .badValue(let field, let reason): "\(field) \(reason)."
    case .unknownField(let name, let nearest):
      "There is no parameter '\(name)'" + (nearest.map { ". Did you mean '\($0)'?" } ?? ".")
    case .notARequest(let reason): "This is not a request of Reverie: \(reason)."
    case .notOfMethod(let field, let method, let methods):
      "\(field) is not a parameter of \(method.rawValue) but of "
        + "\(methods.map(\.rawValue).joined(separator: ", ")). Leave it out or choose that method."
    case .impossible(let method, let reason): "\(method.rawValue) cannot paint this: \(reason)."
    }
  }
}

/// What can go wrong with a pack or while painting.
public enum PaintingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The pack's folder or manifest is not usable.
  case badPack(path: String, reason: String)
  /// A file of the pack is missing or damaged.
  case badPackFile(path: String, reason: String)
  /// The pack lacks what the method needs.
  case notInPack(pack: String, what: String)
  /// The request names a file that was not handed over.
  case missingFile(name: String)
  /// The loss stopped being a number.
  case diverged(iteration: Int)
  /// What was painted holds values that are no numbers.
  case noPicture
  /// What was left of a painting cannot be taken up again.
  case badCheckpoint(reason: String)
  /// The folder of a run is not usable.
  case badRun(path: String, reason: String)
  /// Another process, of this number where that is known, is painting the run.
  case runInUse(path: String, process: Int?)
  /// Stopped before there was anything to show.
  case stoppedEarly

  /// One or two sentences for the user, with the next step.
  public var description: String {
    switch self {
    case .badPack(let path, let reason):
      "The pack \(path) cannot be used: \(reason.hasSuffix(".") ? String(reason.dropLast()) : reason). Check out its files again, or name another "
        + "pack with --pack."
    case .badPackFile(let path, let reason):
      "The pack's file \(path) \(reason). Restore it (git checkout, or copy it again), or name "
        + "another pack with --pack."
    case .notInPack(let pack, let what):
      "The pack \(pack) has no \(what). Choose another --method or another --pack."
    case .missingFile(let name):
      "The file '\(name)', which this picture needs, was not found. Lay it beside the picture, or name "
        + "its folder with --files."
    case .diverged(let iteration):
      "The optimisation left the range of numbers at iteration \(iteration). Try a smaller "
        + "learning rate."
    case .noPicture:
      "What came out is no picture: its values are no numbers. See whether the network is whole (reverie "
        + "models verify), or ask for less: a smaller guidance or learning rate."
    case .badCheckpoint(let reason): "The checkpoint cannot be used: \(reason)."
    case .badRun(let path, let reason): "The run \(path) cannot be used: \(reason)."
    case .runInUse(let path, let process):
      "The run \(path) is in use by \(process.map { "process \($0)" } ?? "another process"). Wait for "
        + "its end, or stop it."
    case .stoppedEarly: "Stopped before there was a picture to save."
    }
  }
}
