variable "name" {
  description = "What the names of everything that is made begin with."
  type        = string
  default     = "ota"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "2 to 21 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "orchestrator_services" {
  description = "Services of AWS on which the server runs, for example [\"ecs-tasks.amazonaws.com\"]: they may take on its role."
  type        = list(string)
  default     = []
}

variable "orchestrator_principals" {
  description = "ARNs of users and roles that may take on the server's role."
  type        = list(string)
  default     = []
}

variable "fleets" {
  description = "Names of the fleets' thing groups. Empty: no fleet on AWS IoT."
  type        = set(string)
  default     = []
}

variable "functions" {
  description = "Lambda functions whose aliases are targets: name to the bucket from which their code comes."
  type        = map(string)
  default     = {}
}

variable "deployment_groups" {
  description = "CodeDeploy's applications that are targets: name to deployment group."
  type        = map(string)
  default     = {}
}

variable "stages" {
  description = "REST APIs of API Gateway whose stages are targets: id to stage."
  type        = map(string)
  default     = {}
}

variable "cloudfront" {
  description = "Whether distributions of CloudFront are targets."
  type        = bool
  default     = false
}

variable "firmware_distribution" {
  description = "Id of the distribution of CloudFront that hands firmware out. Empty: devices fetch it from the bucket."
  type        = string
  default     = ""
}

variable "freertos" {
  description = "Whether devices run FreeRTOS's OTA agent: then the role that signs links makes AWS IoT's OTA updates, too."
  type        = bool
  default     = false
}

variable "firmware_retention_days" {
  description = "So long nobody but who may bypass governance can delete an image."
  type        = number
  default     = 30

  validation {
    condition     = var.firmware_retention_days >= 1
    error_message = "At least a day."
  }
}

variable "trail_retention_days" {
  description = "So long nobody at all can delete what CloudTrail has written."
  type        = number
  default     = 365

  validation {
    condition     = var.trail_retention_days >= 1
    error_message = "At least a day."
  }
}
