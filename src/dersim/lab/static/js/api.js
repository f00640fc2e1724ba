// The lab's own API. Every failure is an ApiError whose message is fit to be shown.
export class ApiError extends Error {
  constructor(message, status = 0, problem = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.hint = problem.hint;
    this.errors = problem.errors || [];
  }
}

export async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(`/api/lab/${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError("The lab does not answer. Is dersim lab still running?");
  }
  const document_ = await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw new ApiError(document_.detail || `${answer.status} ${answer.statusText}`, answer.status, document_);
  return document_;
}
